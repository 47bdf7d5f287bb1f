"""trigger_record_updated: which changes of records start a workflow."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.catalogue import Watch
from oneo.store import deletion
from oneo_operators.nodes.triggers.trigger_record_updated import TriggerRecordUpdatedOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_record_updated"]


def started_by(crm: Crm, change: dict[str, Any], **config: Any) -> bool:
    crm.watch("trigger_record_updated", **config)
    record = crm.add(status="open", amount=1, name="Acme")
    crm.change(record, **change)
    crm.round()
    return bool(crm.started)


def test_the_example(bench: Bench, crm: Crm) -> None:
    assert TriggerRecordUpdatedOperator.watch(EXAMPLE) == Watch(("updated",), ("deals",))
    assert bench.problems("trigger_record_updated", EXAMPLE) == []
    crm.pipeline("deals")
    crm.watch("trigger_record_updated", **EXAMPLE)
    deal = crm.add("deals", status="open", amount=1, note="")
    crm.change(deal, note="called")
    crm.change(deal, amount=2)
    crm.change(deal, status="won")
    crm.round()
    crm.make_due()
    crm.round()
    (row,) = crm.started
    assert (row.data["before"]["status"], row.data["status"], row.data["amount"]) == ("open", "won", 2)
    assert row.data["changed"] == ["amount", "status"]


@pytest.mark.parametrize(
    ("change", "config", "starts"),
    [
        ({"name": "Apex"}, {}, True),
        ({"name": "Apex"}, {"specific_fields": ["amount"]}, False),
        ({"name": "Apex", "amount": 2}, {"specific_fields": ["amount"]}, True),
        ({"name": "Apex"}, {"specific_fields": ["amount"], "watch_all_fields": True}, True),
        ({"stage": "won"}, {"update_types": ["status_change"]}, True),
        ({"status": "won"}, {"update_types": ["status_change"]}, True),
        ({"name": "Apex"}, {"update_types": ["status_change"]}, False),
        ({"owner": "ann"}, {"update_types": ["field_change"]}, False),
        ({"owner": "ann"}, {"update_types": ["owner_change", "field_change"]}, True),
        ({"status": "won"}, {"specific_fields": ["status"], "update_types": ["field_change"]}, False),
        ({"amount": 500}, {"field_filters": {"amount": {"$gte": 100}}}, True),
        ({"amount": 50}, {"field_filters": {"amount": {"$gte": 100}}}, False),
        ({"name": "Acme"}, {}, False),
        ({"status": "customer"}, {"status": "customer"}, True),
        ({"stage": "won"}, {"status": ["customer", "won"]}, True),
        ({"status": "lost"}, {"status": "customer"}, False),
        ({"note": "customer"}, {"status": "customer"}, False),
    ],
)
def test_changes_that_count(crm: Crm, change: dict[str, Any], config: dict[str, Any], starts: bool) -> None:
    assert started_by(crm, change, **config) is starts


def test_creating_and_deleting_are_no_changes(crm: Crm) -> None:
    crm.watch("trigger_record_updated")
    crm.delete(crm.add())
    crm.round()
    assert crm.started == []


def test_why_a_change_did_not_count(crm: Crm) -> None:
    started_by(crm, {"name": "Apex"}, specific_fields=["amount", "status"])
    assert crm.decision()["reason"] == "only 'name' changed, and 'amount', 'status' is watched"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"watch_all_fields": False}, "no field is watched: name some in specific_fields"),
        ({"update_types": ["colour_change"]}, "'field_change', 'status_change' or 'owner_change'"),
        ({"debounce_seconds": -1}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_watched(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.problems("trigger_record_updated", config)[0]


@pytest.mark.parametrize(
    ("change", "config", "starts"),
    [
        (
            {"status": "won"},
            {"specific_fields": ["status"], "from_values": ["open"], "to_values": ["won"]},
            True,
        ),
        ({"status": "won"}, {"specific_fields": ["status"], "from_values": ["new"]}, False),
        ({"status": "won"}, {"specific_fields": ["status"], "to_values": ["lost"]}, False),
        ({"city": "Rome"}, {"from_values": [None]}, True),
        ({"amount": 2, "name": "won"}, {"specific_fields": ["amount"], "to_values": ["won"]}, False),
    ],
)
def test_changes_between_values_that_count(
    crm: Crm, change: dict[str, Any], config: dict[str, Any], starts: bool
) -> None:
    assert started_by(crm, change, **config) is starts


def test_why_other_values_did_not_count(crm: Crm) -> None:
    started_by(crm, {"status": "lost"}, specific_fields=["status"], to_values=["won"])
    reason = crm.decision()["reason"]
    assert reason == "'status' from 'open' to 'lost' changed, and a change to 'won' is waited for"


def test_one_field_of_a_record_by_its_other_name(crm: Crm) -> None:
    crm.watch("trigger_field_changed", **{"field": "status", "from": "open", "to": ["won", "lost"]})
    won, other = crm.add(status="open"), crm.add(status="open")
    crm.change(won, status="won")
    crm.change(other, status="late")
    crm.round()
    assert [row.record_id for row in crm.started] == [won.id]


def test_records_that_come_back_count_where_they_are_asked_for(crm: Crm) -> None:
    crm.watch("trigger_record_updated", "both", include_restored=True, specific_fields=["status"])
    crm.watch("trigger_record_updated", "changed")
    crm.watch("trigger_record_created", "created", include_restored=True)
    record = crm.add()
    crm.round()
    crm.delete(record)
    with crm.database.tenant(crm.tenant) as session:
        deletion.restore(session, deletion.locate(session, record.id))
    crm.round()
    found = [(row.workflow_id, row.data["event"]) for row in crm.started]
    assert sorted(found) == [("both", "restored"), ("created", "created"), ("created", "restored")]


def test_changed_records_come_in_batches_where_they_are_asked_for(bench: Bench, crm: Crm) -> None:
    crm.watch("trigger_record_updated", batch_processing=True, batch_size=2)
    for name in ("Ann", "Ben"):
        crm.change(crm.add(), name=name)
    crm.round()
    (row,) = crm.started
    assert [one["name"] for one in row.data["records"]] == ["Ann", "Ben"]
    both = {"batch_processing": True, "debounce_seconds": 5}
    assert "exclude each other" in bench.problems("trigger_record_updated", both)[0]
