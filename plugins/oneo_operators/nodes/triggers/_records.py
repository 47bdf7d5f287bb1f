"""What the triggers on changes of records have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field, PrivateAttr, model_validator

from oneo.events import Event
from oneo.filters import Clause, Condition, demanded, matches, parse
from oneo_operators.base import NodeConfig
from oneo_operators.filter_option import Filters


class RecordTriggerConfig(NodeConfig):
    """Whose changes start the workflow."""

    pipeline_ids: list[str] = Field(
        default_factory=lambda: ["*"], min_length=1, description="Pipelines to watch; `*` for all."
    )
    field_filters: Filters = Field(
        default_factory=dict,
        description='Only records that fit: `{"source": "website", "score": {"$gte": 50}}`.',
    )

    @model_validator(mode="before")
    @classmethod
    def _one_pipeline(cls, value: Any) -> Any:
        """`"pipeline_id": "leads"` is short for `"pipeline_ids": ["leads"]`."""
        if isinstance(value, dict) and "pipeline_id" in value and "pipeline_ids" not in value:
            value = dict(value)
            value["pipeline_ids"] = [value.pop("pipeline_id")]
        return value

    # The filters, read once for each set of date fields.
    _conditions: dict[Any, Sequence[Condition]] = PrivateAttr(default_factory=dict)

    @cached_property
    def required(self) -> Sequence[Clause]:
        """Of the filters those that no record gets around."""
        return demanded(parse(self.field_filters))

    def misfit(self, event: Event) -> str | None:
        """The filter that the event's record does not fit; None where it fits all."""
        if event.times not in self._conditions:
            self._conditions[event.times] = parse(self.field_filters, dict(event.times))
        decided = matches(self._conditions[event.times], event.facts)
        return None if decided is None else f"the record does not fit the filter {decided}"


def named(names: Iterable[Any]) -> str:
    """Values as a reason lists them."""
    return ", ".join(map(repr, names)) or "nothing"


def as_batch(events: Sequence[Event]) -> dict[str, Any]:
    """Trigger data of events of several records: the records, each as its last event left it."""
    records = {event.record_id: dict(event.record) for event in events}
    return {
        "event": events[-1].kind,
        "event_id": events[0].id,
        "pipeline_id": events[-1].topic,
        "count": len(records),
        "records": list(records.values()),
    }


def as_one_change(events: Sequence[Event]) -> dict[str, Any]:
    """Trigger data of several changes of one record: as one, from before the first to after the last."""
    first = events[0].before
    return {
        **events[-1].trigger_data(),
        "changed": list(dict.fromkeys(name for event in events for name in event.changed)),
        "count": len(events),
        **({} if first is None else {"before": dict(first)}),
    }
