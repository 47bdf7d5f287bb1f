"""What happened, as triggers look at it: changes of records and everything else in one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

# A moment that a trigger asked for has come; the event's topic is the trigger's address.
TIMER = "timer"
# Kinds of changes of records.
RECORD_CHANGES = frozenset({"created", "updated", "deleted", "restored"})
# A record that was there before its trigger: nothing happened to it, but a moment may be due for it.
SEEN = "seen"
_ABOUT_RECORDS = RECORD_CHANGES | {SEEN, TIMER}
# New values of a series of metrics, which is the event's topic.
METRIC = "metric"


@dataclass(frozen=True)
class Event:
    """Something that happened in a tenant.

    Attributes:
        id: Counts the events of the installation; 0 for `seen`, which is no event of anyone's.
        kind: `created`, `updated`, `deleted`, `restored` for records; else what came in, e.g. `app` or `webhook`.
        topic: What of that kind: the record's pipeline, the event's name, the hook's path.
        at: When it happened; of `seen`: when it was shown.
        data: What came in with it; for changes of records what triggers hand on beside the record.
        record_id: The record it is about.
        record: That record as expressions see it, after the change.
        before: The same before the change.
        changed: Names of the fields that changed.
        stages: The stages of the record's pipeline in their order, where its stage changed.
        caused_by: The execution that brought it about.
        types: Types of the fields that the record's pipeline declares.
    """

    id: int
    tenant_id: str
    kind: str
    topic: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    record_id: UUID | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    caused_by: UUID | None = None
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def series(self) -> str | None:
        """The series of metrics it is about."""
        return self.data.get("series") if self.kind in (METRIC, TIMER) else None

    @property
    def key(self) -> tuple[str, int]:
        """Its identity in the store."""
        return self.tenant_id, self.id

    @property
    def record_key(self) -> str:
        """The record's id as nodes know it: that of a row of a table of the tenant's own is no UUID."""
        return str(self.record.get("id") or self.record_id)

    @cached_property
    def times(self) -> tuple[tuple[str, str], ...]:
        """The fields of the record that hold dates, with their types."""
        return tuple(
            sorted((name, kind) for name, kind in self.types.items() if kind in ("date", "datetime"))
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """What filters look at: the record that changed or is looked at again; else what came in with the event."""
        return self.record if self.kind in _ABOUT_RECORDS and self.record else self.data

    def trigger_data(self) -> dict[str, Any]:
        """What an execution that it starts gets to know: the record's fields, flat, and what happened to it.

        For an event without a record: what came in with it, flat, and what it was.
        """
        about: dict[str, Any] = {"event": self.kind, "event_id": self.id}
        if self.record_id is None:
            return {**self.data, **about, "topic": self.topic}
        about |= {
            "record_id": self.record_key,
            "pipeline_id": self.record.get("pipeline_id"),
            "changed": list(self.changed),
            "record": dict(self.record),
        }
        if self.before is not None:
            about["before"] = dict(self.before)
        return {**self.record, **self.data, **about}
