"""The clock starts the workflow; Airflow's scheduler keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from dag_factory.catalogue import Schedule
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.time_options import Zone

_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


class TriggerScheduledConfig(NodeConfig):
    """When the workflow starts."""

    cron_expression: str | None = Field(
        default=None,
        description="Minute, hour, day, month and weekday, e.g. `0 9 * * MON`, or a preset such as `@daily`.",
    )
    cron_expressions: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Several expressions; it starts at the times of each, once where they meet.",
    )
    timezone: Zone = Field(
        default="UTC", description="Zone the expression is read in, e.g. America/New_York."
    )
    max_concurrent: int = Field(default=1, ge=1, le=1000, description="Executions at the same time.")
    catch_up_on_failure: bool = Field(
        default=False, description="Run the times that were missed while the scheduler was down."
    )

    @field_validator("cron_expression", "cron_expressions")
    @classmethod
    def _are_cron(cls, value: str | list[str] | None) -> str | list[str] | None:
        for one in [value] if isinstance(value, str) else value or []:
            cls._check(one)
        return value

    @staticmethod
    def _check(value: str) -> None:
        from croniter import croniter  # noqa: PLC0415 - needed at save time, not in tasks

        if value in _PRESETS:
            return
        if len(value.split()) != 5 or not croniter.is_valid(value):
            raise ValueError(
                f"{value!r} is not a cron expression; write minute, hour, day, month and weekday, "
                f"e.g. '0 9 * * MON', or one of {', '.join(_PRESETS)}"
            )

    @model_validator(mode="after")
    def _some_time(self) -> TriggerScheduledConfig:
        if not self.crons:
            raise ValueError("say when: give cron_expression, or several in cron_expressions")
        return self

    @property
    def crons(self) -> tuple[str, ...]:
        """All expressions, each once."""
        first = [self.cron_expression] if self.cron_expression else []
        return tuple(dict.fromkeys(first + self.cron_expressions))


class TriggerScheduledOperator(TriggerOperator):
    """Start by the clock."""

    type: ClassVar[str] = "trigger_scheduled"
    description: ClassVar[str] = "Starts the workflow at the times of cron expressions, in their time zone."
    Config = TriggerScheduledConfig

    @classmethod
    def schedule(cls, config: Mapping[str, Any]) -> Schedule:
        """What Airflow's timetable needs."""
        given = TriggerScheduledConfig.model_validate(config)
        return Schedule(given.crons, given.timezone, given.max_concurrent, catchup=given.catch_up_on_failure)
