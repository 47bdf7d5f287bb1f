"""The clock starts the workflow; Airflow's scheduler keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from dag_factory.catalogue import Schedule
from oneo_operators.base import NodeConfig, TriggerOperator

_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


class TriggerScheduledConfig(NodeConfig):
    """When the workflow starts."""

    cron_expression: str = Field(
        description="Minute, hour, day, month and weekday, e.g. `0 9 * * MON`, or a preset such as `@daily`."
    )
    timezone: str = Field(default="UTC", description="Zone the expression is read in, e.g. America/New_York.")
    max_concurrent: int = Field(default=1, ge=1, le=1000, description="Executions at the same time.")
    catch_up_on_failure: bool = Field(
        default=False, description="Run the times that were missed while the scheduler was down."
    )

    @field_validator("cron_expression")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        from croniter import croniter  # noqa: PLC0415 - needed at save time, not in tasks

        if value in _PRESETS:
            return value
        if len(value.split()) != 5 or not croniter.is_valid(value):
            raise ValueError(
                f"{value!r} is not a cron expression; write minute, hour, day, month and weekday, "
                f"e.g. '0 9 * * MON', or one of {', '.join(_PRESETS)}"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"{value!r} is no time zone; write an IANA name such as Europe/Berlin or America/New_York"
            ) from None
        return value


class TriggerScheduledOperator(TriggerOperator):
    """Start by the clock."""

    type: ClassVar[str] = "trigger_scheduled"
    description: ClassVar[str] = "Starts the workflow at the times of a cron expression, in its time zone."
    Config = TriggerScheduledConfig

    @classmethod
    def schedule(cls, config: Mapping[str, Any]) -> Schedule:
        """What Airflow's timetable needs."""
        given = TriggerScheduledConfig.model_validate(config)
        return Schedule(
            given.cron_expression, given.timezone, given.max_concurrent, catchup=given.catch_up_on_failure
        )
