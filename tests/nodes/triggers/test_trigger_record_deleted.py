"""trigger_record_deleted: which deletions start a workflow, and what is kept of the record."""

from __future__ import annotations

import pytest

from dag_factory.catalogue import Watch
from oneo.store import deletion, history
from oneo.store.models import Record
from oneo_operators.nodes.triggers.trigger_record_deleted import TriggerRecordDeletedOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_record_deleted"]


def remove(crm: Crm, record: Record) -> None:
    """Remove a record for good."""
    with crm.database.tenant(crm.tenant) as session:
        deletion.remove(session, deletion.locate(session, record.id))


def kinds(crm: Crm, record: Record) -> list[str]:
    with crm.database.tenant(crm.tenant) as session:
        return [entry.kind for entry in history.of_record(session, record.id)]


def test_the_example(bench: Bench, crm: Crm) -> None:
    assert TriggerRecordDeletedOperator.watch(EXAMPLE) == Watch(("deleted",), ("*",))
    assert bench.problems("trigger_record_deleted", EXAMPLE) == []
    crm.watch("trigger_record_deleted", **EXAMPLE)
    soft, gone = crm.add(name="Ann"), crm.add(name="Ben")
    crm.delete(soft)
    remove(crm, gone)
    crm.round()
    (row,) = crm.started
    assert (row.record_id, row.data["name"], row.data["soft_delete"]) == (soft.id, "Ann", True)
    assert "removed for good" in crm.decision()["reason"]
    assert kinds(crm, soft) == ["created", "deleted", "archived"]
    with crm.database.tenant(crm.tenant) as session:
        (image,) = [entry.image for entry in history.of_record(session, soft.id) if entry.image]
    assert image["data"] == {"name": "Ann"}


def test_what_is_removed_for_good_is_known_to_the_execution_alone(crm: Crm) -> None:
    crm.watch("trigger_record_deleted", archive_before_delete=True)
    record = crm.add(name="Ann", score=7)
    remove(crm, record)
    crm.round()
    (row,) = crm.started
    assert (row.data["soft_delete"], row.data["record"]["score"]) == (False, 7)


@pytest.mark.parametrize(
    ("config", "starts"),
    [
        ({"pipeline_id": "leads"}, True),
        ({"pipeline_id": "deals"}, False),
        ({"field_filters": {"score": {"$gte": 50}}}, False),
        ({"field_filters": {"score": 7}}, True),
        ({"field_filters": {"score": 8}}, False),
    ],
)
def test_deletions_that_count(crm: Crm, config: dict[str, object], starts: bool) -> None:
    crm.watch("trigger_record_deleted", **config)
    crm.delete(crm.add(score=7))
    crm.round()
    assert bool(crm.started) is starts


def test_deletions_come_in_batches_where_they_are_asked_for(crm: Crm) -> None:
    crm.watch("trigger_record_deleted", batch_processing=True, batch_size=2, archive_before_delete=True)
    ann, ben = crm.add(name="Ann"), crm.add(name="Ben")
    crm.delete(ann)
    crm.delete(ben)
    crm.round()
    (row,) = crm.started
    assert [one["name"] for one in row.data["records"]] == ["Ann", "Ben"]
    assert kinds(crm, ann)[-1] == kinds(crm, ben)[-1] == "archived"


def test_a_record_that_came_back_is_not_archived(crm: Crm) -> None:
    crm.watch("trigger_record_deleted", archive_before_delete=True)
    record = crm.add()
    crm.delete(record)
    with crm.database.tenant(crm.tenant) as session:
        deletion.restore(session, deletion.locate(session, record.id))
    crm.round()
    assert len(crm.started) == 1
    assert kinds(crm, record) == ["created", "deleted", "restored"]
