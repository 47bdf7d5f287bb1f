"""A change of a record starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Gathers, Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._batches import BatchConfig
from oneo_operators.nodes.triggers._records import as_batch, as_one_change, named

_STATUS_FIELDS = frozenset({"status", "stage"})


class TriggerRecordUpdatedConfig(BatchConfig):
    """Which changes start the workflow."""

    watch_all_fields: bool = Field(
        default=True, description="Any field; false: `specific_fields` only. Naming fields implies false."
    )
    specific_fields: list[str] = Field(
        default_factory=list, description="Fields to watch; `stage` and `owner` are fields, too."
    )
    update_types: list[Literal["field_change", "status_change", "owner_change"]] = Field(
        default_factory=list,
        description="`status_change`: of `status` or the stage; `owner_change`: of the owner; `field_change`: of any "
        "other field. One of them is enough; empty: all.",
    )
    debounce_seconds: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="One execution for all changes of a record until none has come for so long (at most ten times as "
        "long after the first); it sees them as one change.",
    )

    status: str | list[str] | None = Field(
        default=None, description="Only changes of `status` or the stage to this value, or to one of several."
    )
    from_values: list[Any] = Field(
        default_factory=list,
        description="Only changes of a watched field from one of these values; null: it had none.",
    )
    to_values: list[Any] = Field(
        default_factory=list, description="Only changes of a watched field to one of these values."
    )
    include_restored: bool = Field(
        default=False,
        description="Also records that come back from a soft deletion, whatever their fields; only the filters count.",
    )

    @model_validator(mode="before")
    @classmethod
    def _named_fields(cls, value: Any) -> Any:
        """Fields are named to be watched, so only they are."""
        if isinstance(value, dict) and value.get("specific_fields") and "watch_all_fields" not in value:
            return {**value, "watch_all_fields": False}
        return value

    @model_validator(mode="after")
    def _something_to_watch(self) -> TriggerRecordUpdatedConfig:
        if not self.watch_all_fields and not self.specific_fields:
            raise ValueError("no field is watched: name some in specific_fields, or set watch_all_fields")
        if self.batch_processing and self.debounce_seconds:
            raise ValueError("batch_processing and debounce_seconds exclude each other: choose one of them")
        return self

    def unwatched(self, event: Event) -> str | None:
        """Why none of the event's changes is one to watch; None where one is."""
        changed = set(event.changed)
        if self.status is not None:
            wanted = [self.status] if isinstance(self.status, str) else self.status
            if not any(event.record.get(name) in wanted for name in changed & _STATUS_FIELDS):
                return f"neither the status nor the stage became {named(wanted)}"
        if not self.watch_all_fields:
            changed &= set(self.specific_fields)
            if not changed:
                return f"only {named(event.changed)} changed, and {named(self.specific_fields)} is watched"
        if self.update_types and not {_kind(name) for name in changed} & set(self.update_types):
            return f"{named(sorted(changed))} changed, which is no {' or '.join(self.update_types)}"
        return (
            None if any(self._wanted(event, name) for name in changed) else self._other_values(event, changed)
        )

    def _wanted(self, event: Event, name: str) -> bool:
        """Whether a field changed between values that are waited for."""
        before, after = (event.before or {}).get(name), event.record.get(name)
        comes = not self.from_values or before in self.from_values
        return comes and (not self.to_values or after in self.to_values)

    def _other_values(self, event: Event, changed: set[str]) -> str:
        ways = [
            f"{name!r} from {(event.before or {}).get(name)!r} to {event.record.get(name)!r}"
            for name in sorted(changed)
        ]
        wanted = [f"from {named(self.from_values)}"] if self.from_values else []
        wanted += [f"to {named(self.to_values)}"] if self.to_values else []
        return f"{' and '.join(ways)} changed, and a change {' '.join(wanted)} is waited for"


class TriggerRecordUpdatedOperator(TriggerOperator):
    """Start with each change of a record, by whomever."""

    type: ClassVar[str] = "trigger_record_updated"
    description: ClassVar[str] = "Starts the workflow when a record changes in a field that is watched."
    Config = TriggerRecordUpdatedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The changed records of the configured pipelines."""
        options = TriggerRecordUpdatedConfig.model_validate(config)
        kinds = ("updated", "restored") if options.include_restored else ("updated",)
        return Watch(kinds, tuple(options.pipeline_ids))

    @classmethod
    def requires(cls, options: TriggerRecordUpdatedConfig) -> Sequence[Clause]:
        """The filters."""
        return options.required

    @classmethod
    def consider(cls, options: TriggerRecordUpdatedConfig, event: Event) -> Verdict:
        """Changes of watched fields, of records that fit the filters."""
        unwatched = options.unwatched(event) if event.kind == "updated" else None
        reason = unwatched or options.misfit(event)
        if reason:
            return Refuses(reason)
        if options.debounce_seconds:
            quiet = options.debounce_seconds
            return Gathers(str(event.record_id), quiet_seconds=quiet, within_seconds=10 * quiet)
        return options.batch() if options.batch_processing else Starts()

    @classmethod
    def combined(cls, options: TriggerRecordUpdatedConfig, events: Sequence[Event]) -> dict[str, Any]:
        """The changes of one record as one, or the records of a batch."""
        return as_batch(events) if options.batch_processing else as_one_change(events)


def _kind(name: str) -> str:
    if name in _STATUS_FIELDS:
        return "status_change"
    return "owner_change" if name == "owner" else "field_change"
