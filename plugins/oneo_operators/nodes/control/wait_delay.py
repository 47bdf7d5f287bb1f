"""A pause: for so long, or until a moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from random import Random
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from oneo.working_days import DaysOff
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult, Wait
from oneo_operators.time_options import TimeOfDay, Zone

# Ten years: longer than any version of a workflow is likely to be kept.
_MOST_SECONDS = 315_360_000


class Randomize(NodeConfig):
    """A delay that is not the same every time."""

    enabled: bool = Field(default=True, description="Whether it counts, in place of the fixed delay.")
    min_seconds: float = Field(ge=0, le=_MOST_SECONDS, description="At least so long.")
    max_seconds: float = Field(ge=0, le=_MOST_SECONDS, description="At most so long.")

    @model_validator(mode="after")
    def _ordered(self) -> Randomize:
        if self.min_seconds > self.max_seconds:
            raise ValueError("min_seconds is more than max_seconds: swap them")
        return self


class WaitDelayConfig(NodeConfig):
    """How long to wait."""

    delay_seconds: float = Field(default=0, ge=0, le=_MOST_SECONDS, description="Seconds to wait.")
    minutes: float = Field(
        default=0, ge=0, le=_MOST_SECONDS / 60, description="Minutes, added to the seconds."
    )
    hours: float = Field(default=0, ge=0, le=_MOST_SECONDS / 3600, description="Hours, added to them.")
    days: float = Field(
        default=0, ge=0, le=_MOST_SECONDS / 86_400, description="Days of 24 hours, added to them."
    )
    weeks: float = Field(default=0, ge=0, le=_MOST_SECONDS / 604_800, description="Weeks, added to them.")
    delay_type: Literal["fixed", "until"] = Field(
        default="fixed",
        description="`fixed`: so long from when the node begins. `until`: until the moment `until`.",
    )
    until: datetime | None = Field(
        default=None,
        description="For `until`: the moment, e.g. `{{ record.contract_end }}` or `2027-01-31T09:00`. One that has "
        "passed holds nothing up.",
    )
    randomize: Randomize | None = Field(
        default=None, description="Wait a random time between two bounds; a retry waits for the same."
    )
    time_of_day: TimeOfDay | None = Field(
        default=None,
        description="Go on when it is next so late, e.g. `09:00`, after the delay or the moment.",
    )
    skip_weekends: bool = Field(
        default=False, description="Go on at the same time of the next working day instead of on a weekend."
    )
    timezone: Zone | None = Field(
        default=None,
        description="Zone of time_of_day, weekends and moments without one. Default: the workflow's.",
    )

    @model_validator(mode="after")
    def _says_how_long(self) -> WaitDelayConfig:
        given = self.model_fields_set & {"delay_seconds", "minutes", "hours", "days", "weeks"}
        if self.delay_type == "until":
            if self.until is None or given:
                raise ValueError("delay_type `until` has a moment in `until`, and no delay beside it")
        elif self.until is not None:
            raise ValueError("`until` needs delay_type `until`")
        elif not given and self.randomize is None and self.time_of_day is None:
            raise ValueError("say how long: delay_seconds, minutes, hours, days, weeks or time_of_day")
        return self

    def seconds(self, seed: str) -> float:
        """The delay; a random one follows from the seed."""
        if self.randomize is not None and self.randomize.enabled:
            return Random(seed).uniform(self.randomize.min_seconds, self.randomize.max_seconds)  # noqa: S311 - no secret
        days = self.days + 7 * self.weeks
        return timedelta(days, self.delay_seconds, 0, 0, self.minutes, self.hours).total_seconds()


class WaitDelayOperator(NodeOperator):
    """Wait for a time."""

    type: ClassVar[str] = "wait_delay"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = (
        "Waits for a time or until a moment, without keeping a worker. `output.due_at` is what it waited for, "
        "`output.waited_seconds` how long after its beginning that was."
    )
    waits: ClassVar[bool] = True
    Config = WaitDelayConfig
    ui_color = "#e0e7ff"

    async def run(self, config: WaitDelayConfig, context: NodeContext) -> NodeResult | Wait:
        """Rest until the moment has come."""
        zone = ZoneInfo(config.timezone) if config.timezone else context.scope.timezone
        due = due_at(config, context.now, zone, seed=f"{context.execution_id}/{context.key}")
        if due > datetime.now(UTC):
            return Wait(due)
        waited = max(0.0, (due - context.now).total_seconds())
        return NodeResult({"due_at": due, "waited_seconds": round(waited, 3)})


def due_at(config: WaitDelayConfig, began: datetime, zone: tzinfo, *, seed: str) -> datetime:
    """The moment that is waited for, in UTC.

    Args:
        config: How long to wait.
        began: When the node began.
        zone: Zone of times of day, weekends and moments without one.
        seed: What a random delay follows from.
    """
    if config.until is not None:
        due = config.until if config.until.tzinfo else config.until.replace(tzinfo=zone)
    else:
        due = began + timedelta(seconds=config.seconds(seed))
    due = due.astimezone(zone)
    if config.time_of_day is not None:
        moment = datetime.combine(due.date(), time.fromisoformat(config.time_of_day), zone)
        # By the clock on the wall, whatever the day's length.
        due = moment if moment >= due else moment + timedelta(days=1)
    day = DaysOff(weekends=config.skip_weekends).moved(due.date(), "after") or due.date()
    return datetime.combine(day, due.timetz()).astimezone(UTC)
