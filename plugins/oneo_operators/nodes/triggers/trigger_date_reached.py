"""A date that stands in a record starts the workflow when it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field, field_validator

from dag_factory.catalogue import Watch
from oneo.errors import UserError
from oneo.events import TIMER, Event
from oneo.filters.match import value_at
from oneo.filters.parse import field_path
from oneo.verdicts import Arms, Disarms, Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._due import DueConfig, due_at
from oneo_operators.nodes.triggers._records import RecordTriggerConfig


class TriggerDateReachedConfig(DueConfig, RecordTriggerConfig):
    """Which dates start the workflow."""

    date_field: str = Field(description="Field that holds a date or a time, e.g. `contract_expiry`.")
    grace_hours: float = Field(
        default=24,
        ge=0,
        le=8784,
        description="A moment that has passed already when the workflow is published, or when the date is set, still "
        "counts for so long.",
    )

    @field_validator("date_field")
    @classmethod
    def _is_field(cls, value: str) -> str:
        try:
            field_path(value, "date_field")
        except UserError as error:
            raise ValueError(str(error)) from None
        return value

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The field as a path into the record."""
        return field_path(self.date_field)

    @property
    def grace(self) -> timedelta:
        """How old a moment may be that still counts."""
        return timedelta(hours=self.grace_hours)


class TriggerDateReachedOperator(TriggerOperator):
    """Start when a record's date is reached, or so many days before or after it."""

    type: ClassVar[str] = "trigger_date_reached"
    description: ClassVar[str] = (
        "Starts the workflow when a date in a record is reached, or days before or after it."
    )
    Config = TriggerDateReachedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """Whatever happens to the records of the configured pipelines, and those that are there."""
        kinds = ("created", "updated", "deleted", "restored")
        topics = TriggerDateReachedConfig.model_validate(config).pipeline_ids
        return Watch(kinds, tuple(topics), existing=True)

    @classmethod
    def consider(cls, options: TriggerDateReachedConfig, event: Event) -> Verdict:
        """A change sets the moment or takes it back; the moment itself starts, if the date still says so."""
        if event.kind == TIMER:
            return _reached(options, event)
        return _waits(options, event, event.at - options.grace)


def _waits(options: TriggerDateReachedConfig, event: Event, since: datetime) -> Arms | Disarms:
    """What there is to wait for, of moments that are not before `since`."""
    key = str(event.record_id)
    gone = "the record was deleted" if event.kind == "deleted" else options.misfit(event)
    if gone:
        return Disarms(key, gone)
    value = value_at(event.record, options.path)
    due = due_at(options, value, since)
    if due is None:
        return Disarms(key, _no_moment(options, value))
    if due < since:
        return Disarms(
            key, f"{options.date_field} {value} was due at {due.isoformat()}, longer ago than grace_hours"
        )
    return Arms(key, due)


def _reached(options: TriggerDateReachedConfig, event: Event) -> Verdict:
    if not event.record:
        return Refuses("the record was deleted")
    pipeline = event.record.get("pipeline_id")
    if not {"*", pipeline} & set(options.pipeline_ids):
        return Refuses(f"the record is in pipeline {pipeline!r}, which is not watched")
    moment = datetime.fromisoformat(event.data["due_at"])
    value = value_at(event.record, options.path)
    if options.misfit(event) or due_at(options, value, moment) != moment:
        # The record, the workflow or a calendar has changed since.
        waits = _waits(options, event, event.at - options.grace)
        return Refuses(waits.reason) if isinstance(waits, Disarms) else waits
    following = _waits(options, event, moment + timedelta(microseconds=1)) if options.yearly else None
    data = {
        **event.record,
        "event": "date_reached",
        "event_id": event.id,
        "record_id": event.record_key,
        "pipeline_id": pipeline,
        "record": dict(event.record),
        "date_field": options.date_field,
        "date": value,
        "due_at": moment.isoformat(),
    }
    return Starts(data, then=(following,) if following else ())


def _no_moment(options: TriggerDateReachedConfig, value: Any) -> str:
    if value is None or value == "":
        return f"{options.date_field} is empty"
    if due_at(options.model_copy(update={"when_skipped": "before"}), value) is None:
        return f"{options.date_field} {value!r} is no date"
    return f"{options.date_field} {value} falls on a day that is skipped"
