"""`oneo explain`: for each event, the condition that decided, or why nobody asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.dispatcher.crm import Crm

Explain = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def explain(command: Callable[..., Any]) -> Explain:
    """What is said about a workflow, the newest event first: the decisions of each."""

    def ask(*arguments: str, workflow: str = "watch") -> list[dict[str, Any]]:
        found = command("explain", "--workflow", workflow, *arguments)
        return [decision for one in found for decision in one["decisions"]]

    return ask


def test_what_was_decided_and_what_became_of_it(crm: Crm, explain: Explain, command: Callable[..., Any]):
    crm.watch("trigger_record_updated", specific_fields=["score"], field_filters={"score": {"$gte": 5}})
    record = crm.add(score=1)
    for change in ({"name": "Ann"}, {"score": 2}, {"score": 9}):
        crm.change(record, **change)
    crm.round()
    started, low, other, created = explain("--record", str(record.id))
    assert started["outcome"] == "started"
    assert started["became"]["status"] == "pending"
    assert started["became"]["execution"] == str(crm.started[0].id)
    assert "score $gte 5" in low["reason"]
    assert "'name'" in other["reason"]
    assert created["outcome"] == "not considered"
    assert "looks at events of kind updated, this one is 'created'" in created["reason"]
    said = command("explain", "--workflow", "watch", "--record", str(record.id), code=0)
    assert "score $gte 5" in said
    assert "looks at events of kind updated" in said
    (only,) = explain("--event", str(crm.started[0].event_id))
    assert only == started


def test_why_nobody_asked(crm: Crm, explain: Explain):
    crm.pipeline("deals")
    crm.watch("trigger_record_created", pipeline_ids=["deals"])
    crm.watch("trigger_manual", "by_hand")
    crm.watch("trigger_record_created", "gone")
    crm.withdraw("gone")
    record = crm.add()
    waiting = explain("--record", str(record.id))
    crm.round()
    crm.watch("trigger_record_created", "late")

    def why(workflow: str) -> str:
        (one,) = explain("--record", str(record.id), workflow=workflow)
        assert one["outcome"] == "not considered"
        return str(one["reason"])

    assert waiting[0]["outcome"] == "waiting"
    assert "watches 'deals', the event is about 'leads'" in why("watch")
    assert "started by no event" in why("by_hand")
    assert "had been withdrawn" in why("gone")
    assert "was published later" in why("late")


def test_the_version_of_that_time_answers(crm: Crm, explain: Explain):
    crm.watch("trigger_event", event="won")
    record = crm.add()
    crm.round()
    crm.watch("trigger_record_created")
    (one,) = explain("--record", str(record.id))
    assert "trigger_event looks at events of kind app" in one["reason"]


def test_what_was_not_noted_is_asked_now(crm: Crm, explain: Explain):
    crm.watch("trigger_record_created", field_filters={"score": {"$gte": 50}})
    record = crm.add(score=1)
    crm.round()
    with crm.database.system() as session:
        session.connection().exec_driver_sql(
            "UPDATE record_events SET decisions = NULL WHERE tenant_id = %s", (crm.tenant,)
        )
    (one,) = explain("--record", str(record.id))
    assert "asked now, version 1 says: the record does not fit the filter score $gte 50" in one["reason"]


def test_what_cannot_be_explained_is_said(crm: Crm, command: Callable[..., Any]):
    crm.watch("trigger_record_created")
    record, event = crm.add(), crm.emit("won")
    assert "--record, --event" in command("explain", "--workflow", "watch", code=1)
    assert "there is no workflow" in command("explain", "--workflow", "x", "--record", str(record.id), code=1)
    both = ("explain", "--workflow", "watch", "--record", str(record.id), "--event", str(event))
    assert "is not about record" in command(*both, code=1)
