"""One condition on a field, and since when it may have held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oneo.errors import UserError
from oneo.events import METRIC, TIMER, Event
from oneo.filters import Condition, matches, parse
from oneo.filters.match import value_at
from oneo.filters.parse import field_path

CHANGED = "changed"


class MetCondition(BaseModel):
    """A condition on a field of a record, or on a value of a series of metrics."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="The field, or the value of a series.")
    operator: Literal[
        "eq",
        "ne",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "nin",
        "contains",
        "starts_with",
        "ends_with",
        "exists",
        "changed",
    ] = Field(description="As in filters; `changed`: it is another one than before.")
    value: Any = Field(default=None, description="What to compare with; `changed` needs none.")
    duration_minutes: float = Field(
        default=0, ge=0, le=527_040, description="How long it must hold without a break."
    )

    @model_validator(mode="after")
    def _readable(self) -> MetCondition:
        if self.operator == CHANGED and self.duration_minutes:
            raise ValueError("`changed` is a moment, which lasts no duration_minutes; leave it out")
        try:
            field_path(self.field, "field")
            _ = self.clauses
        except UserError as error:
            raise ValueError(str(error)) from None
        return self

    @cached_property
    def clauses(self) -> list[Condition]:
        """The condition in the language of filters; empty for `changed`."""
        if self.operator == CHANGED:
            return []
        return parse({self.field: {f"${self.operator}": self.value}})

    @property
    def duration(self) -> timedelta:
        """How long it must hold."""
        return timedelta(minutes=self.duration_minutes)

    def holds(self, look: Look) -> bool:
        """Whether it holds at a look; of what is gone nothing does."""
        if not look.now:
            return False
        if self.operator != CHANGED:
            return matches(self.clauses, look.now) is None
        return bool(look.before) and self.actual(look.now) != self.actual(look.before)

    def rises(self, look: Look) -> bool:
        """Whether it holds now and did not before."""
        if not self.holds(look):
            return False
        return self.operator == CHANGED or not look.before or matches(self.clauses, look.before) is not None

    def actual(self, image: Mapping[str, Any]) -> Any:
        """What stands in the field."""
        return value_at(image, tuple(self.field.split(".")))

    def __str__(self) -> str:
        return f"{self.field} changed" if self.operator == CHANGED else str(self.clauses[0])


@dataclass(frozen=True)
class Look:
    """What a condition is asked of: a record or a series of metrics, as an event shows it.

    Attributes:
        subject: What it is called among the moments that are waited for.
        now: Its fields or values; empty where it is gone.
        before: The same before the event; empty where there was nothing, or the event changed nothing.
        at: Since when it is as it is now.
    """

    subject: str
    now: Mapping[str, Any]
    before: Mapping[str, Any]
    at: datetime


def look_at(event: Event) -> Look:
    """What an event shows of its record or series."""
    if event.series is None:
        now = {} if event.kind == "deleted" else event.record
        before = {} if event.kind == "restored" else event.before or {}
        return Look(str(event.record_id), now, before, event.at)
    measured = event.data["at"] if event.kind == METRIC else event.data["due_at"]
    before = {} if event.kind == TIMER else event.data["before"]
    return Look(f"series/{event.series}", event.data["after"], before, datetime.fromisoformat(measured))
