"""Records that plain SQL makes, changes and deletes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from oneo.store import event_log
from oneo.store.models import Execution
from tests.e2e.trigger_cases import Case, Family, Outside, Trace, Watched
from tests.nodes.bench import EXAMPLES

CREATED, UPDATED = EXAMPLES["trigger_record_created"], EXAMPLES["trigger_record_updated"]
DELETED, STAGE = EXAMPLES["trigger_record_deleted"], EXAMPLES["trigger_pipeline_stage_changed"]
STAGES = ("new", "qualified", "proposal", "negotiation", "won")
AT_ONCE = {**CREATED, "pipeline_ids": ["offers"], "delay_seconds": 0}
FIELD = {"pipeline_id": "prices", "field": "amount", "from": 1, "to": 900}

WORKFLOWS = {
    "created": Watched("trigger_record_created", {**CREATED, "delay_seconds": 2}),
    "created_at_once": Watched("trigger_record_created", AT_ONCE),
    "batch": Watched(
        "trigger_record_created",
        {**AT_ONCE, "pipeline_ids": ["batched"], "batch_processing": True, "batch_seconds": 1},
    ),
    "updated": Watched("trigger_record_updated", {**UPDATED, "debounce_seconds": 2}),
    "updated_status": Watched("trigger_record_updated", {**UPDATED, "update_types": ["status_change"]}),
    "updated_all": Watched(
        "trigger_record_updated",
        {
            **UPDATED,
            "pipeline_ids": ["notes"],
            "watch_all_fields": True,
            "specific_fields": [],
            "debounce_seconds": 0,
        },
    ),
    "field": Watched("trigger_field_changed", FIELD),
    # What is kept private is left to the other one, which archives nothing.
    "deleted": Watched(
        "trigger_record_deleted", {**DELETED, "field_filters": {"private": {"$exists": False}}}
    ),
    "deleted_notes": Watched(
        "trigger_record_deleted",
        {"pipeline_ids": ["notes"], "soft_delete_only": False, "archive_before_delete": False},
    ),
    "stage": Watched("trigger_pipeline_stage_changed", STAGE),
    "stage_on": Watched(
        "trigger_pipeline_stage_changed", {**STAGE, "from_stages": [], "to_stages": ["new", "won"]}
    ),
    "stage_back": Watched(
        "trigger_pipeline_stage_changed",
        {**STAGE, "from_stages": [], "to_stages": ["new"], "direction": "backward"},
    ),
}
Happening = Callable[[Outside], Trace]
LEAD = {"source": "website", "score": 50}


def added(pipeline: str, *records: Mapping[str, Any]) -> Happening:
    """New records."""
    return lambda outside: Trace(tuple(outside.insert(pipeline, **data) for data in records))


def changed(pipeline: str, first: Mapping[str, Any], *changes: Mapping[str, Any]) -> Happening:
    """A record that changes, once it was there."""

    def happens(outside: Outside) -> Trace:
        record = outside.insert(pipeline, **first)
        for change in changes:
            outside.sql(
                "UPDATE records SET data = data || CAST(:change AS jsonb) WHERE id = :record",
                change=change,
                record=record,
            )
        return Trace((record,))

    return happens


def staged(*stages: str, pipeline: str = "sales") -> Happening:
    """A record that passes through stages."""

    def happens(outside: Outside) -> Trace:
        record = outside.insert(pipeline, stages[0])
        for stage in stages[1:]:
            outside.sql("UPDATE records SET stage = :stage WHERE id = :record", stage=stage, record=record)
        return Trace((record,))

    return happens


def deleted(pipeline: str, *, for_good: bool = False, **data: Any) -> Happening:
    """A record that is deleted."""
    how = "DELETE FROM records" if for_good else "UPDATE records SET deleted_at = now()"

    def happens(outside: Outside) -> Trace:
        record = outside.insert(pipeline, name="Ann", **data)
        outside.sql(f"{how} WHERE id = :record", record=record)
        return Trace((record,))

    return happens


def counts(number: int) -> Callable[[Sequence[Execution], Outside], None]:
    def of_several(found: Sequence[Execution], _: Outside) -> None:
        assert found[0].data["count"] == number

    return of_several


def late(found: Sequence[Execution], outside: Outside) -> None:
    assert found[0].run_after - happened_at(found[0], outside) == timedelta(seconds=2)
    assert found[0].started_at is not None
    assert found[0].started_at >= found[0].run_after


def at_once(found: Sequence[Execution], _: Outside) -> None:
    assert found[0].run_after <= found[0].created_at


def happened_at(row: Execution, outside: Outside) -> Any:
    with outside.stack.database.tenant(outside.tenant) as session:
        return event_log.get(session, row.event_id or 0).created_at


def archived(found: Sequence[Execution], outside: Outside) -> None:
    assert is_archived(found[0].record_id, outside) is True


def not_archived(found: Sequence[Execution], outside: Outside) -> None:
    assert is_archived(found[0].record_id, outside) is False


def is_archived(record: UUID | None, outside: Outside) -> bool:
    kept: bool = outside.sql(
        "SELECT archived_at IS NOT NULL FROM records WHERE id = CAST(:record AS uuid)", record=str(record)
    )
    return kept


def told_what_it_was(found: Sequence[Execution], _: Outside) -> None:
    assert found[0].data["record"]["name"] == "Ann"


CASES = [
    Case("created", "pipeline_ids", added("leads", LEAD)),
    Case("created", "pipeline_ids", added("contacts", LEAD)),
    Case("created", "pipeline_ids", added("offers", LEAD), "the event is about 'offers'"),
    Case("created", "field_filters", added("leads", LEAD)),
    Case(
        "created", "field_filters", added("leads", {**LEAD, "source": "ads"}), "filter source $eq 'website'"
    ),
    Case("created", "field_filters", added("leads", {**LEAD, "score": 49}), "filter score $gte 50"),
    Case("created", "delay_seconds", added("leads", LEAD), shows=late),
    Case("created_at_once", "delay_seconds", added("offers", LEAD), shows=at_once),
    Case("created", "batch_processing", added("leads", LEAD, LEAD, LEAD), starts=3),
    Case("batch", "batch_processing", added("batched", LEAD, LEAD, LEAD), shows=counts(3)),
    Case("updated", "pipeline_ids", changed("deals", {"amount": 1}, {"amount": 2})),
    Case(
        "updated",
        "pipeline_ids",
        changed("prices", {"amount": 2}, {"amount": 3}),
        "the event is about 'prices'",
    ),
    Case("updated", "watch_all_fields", changed("deals", {}, {"note": "x"}), "only 'note' changed"),
    Case("updated_all", "watch_all_fields", changed("notes", {}, {"note": "x"})),
    Case("updated", "specific_fields", changed("deals", {"status": "open"}, {"status": "won"})),
    Case(
        "updated", "specific_fields", changed("deals", {}, {"stat": 1}), "and 'status', 'amount' is watched"
    ),
    Case("updated", "update_types", changed("deals", {"amount": 1}, {"amount": 5})),
    Case("updated_status", "update_types", changed("deals", {}, {"amount": 5}), "which is no status_change"),
    Case("updated_status", "update_types", changed("deals", {"amount": 1}, {"status": "won"})),
    Case(
        "updated",
        "debounce_seconds",
        changed("deals", {"amount": 1}, {"amount": 2}, {"amount": 3}, {"status": "won"}),
        shows=counts(3),
    ),
    Case("updated_all", "debounce_seconds", changed("notes", {}, {"n": 1}, {"n": 2}, {"n": 3}), starts=3),
    Case("field", "field", changed("prices", {"amount": 1}, {"amount": 900})),
    Case("field", "field", changed("prices", {"amount": 1}, {"note": 900}), "'amount' is watched"),
    Case("field", "from", changed("prices", {"amount": 2}, {"amount": 900}), "from 1 to 900 is waited for"),
    Case("field", "to", changed("prices", {"amount": 1}, {"amount": 800}), "'amount' from 1 to 800 changed"),
    Case("field", "pipeline_id", changed("deals", {"amount": 1}, {"amount": 900}), "is about 'deals'"),
    Case("deleted", "pipeline_ids", deleted("leads")),
    Case("deleted", "pipeline_ids", deleted("sales")),
    Case("deleted_notes", "pipeline_ids", deleted("leads"), "the event is about 'leads'"),
    Case("deleted", "soft_delete_only", deleted("leads", for_good=True), "(soft_delete_only)"),
    Case("deleted_notes", "soft_delete_only", deleted("notes", for_good=True), shows=told_what_it_was),
    Case("deleted", "archive_before_delete", deleted("leads"), shows=archived),
    Case("deleted_notes", "archive_before_delete", deleted("notes", private=True), shows=not_archived),
    Case("stage", "pipeline_id", staged("qualified", "proposal")),
    Case("stage", "pipeline_id", staged("qualified", "proposal", pipeline="offers"), "about 'offers'"),
    Case("stage", "from_stages", staged("qualified", "negotiation")),
    Case("stage", "from_stages", staged("new", "proposal"), "it has to come from 'qualified'"),
    Case("stage", "to_stages", staged("qualified", "negotiation")),
    Case("stage", "to_stages", staged("qualified", "won"), "it has to come to 'proposal', 'negotiation'"),
    Case("stage_on", "direction", staged("negotiation", "won")),
    Case("stage_on", "direction", staged("proposal", "new"), "which is backward, not forward"),
    Case("stage_back", "direction", staged("proposal", "new")),
]


def prepare(outside: Outside) -> None:
    for name in ("leads", "contacts", "batched", "deals", "prices", "notes"):
        outside.pipeline(name)
    for name in ("sales", "offers"):
        outside.pipeline(name, *STAGES)


FAMILY = Family("records", WORKFLOWS, CASES, prepare)
