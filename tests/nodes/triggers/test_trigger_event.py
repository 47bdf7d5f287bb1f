"""trigger_event: named events of applications."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import Bench

__all__ = ["crm"]


def test_an_event_starts_the_workflows_that_wait_for_its_name(crm: Crm) -> None:
    crm.watch("trigger_event", "qualified", event_names=["lead_qualified", "lead_won"])
    crm.watch("trigger_event", "all", event="*")
    crm.emit("lead_qualified", {"score": 80, "lead": {"name": "Ann"}})
    crm.emit("lead_lost")
    crm.round()
    found = [(row.workflow_id, row.data["topic"]) for row in crm.started]
    assert sorted(found) == [("all", "lead_lost"), ("all", "lead_qualified"), ("qualified", "lead_qualified")]
    data = next(row.data for row in crm.started if row.workflow_id == "qualified")
    assert (data["score"], data["lead"], data["event"]) == (80, {"name": "Ann"}, "app")


def test_an_event_emitted_twice_starts_once(crm: Crm) -> None:
    crm.watch("trigger_event", event="paid")
    ids = [crm.emit("paid", {"n": number}, key="invoice-7") for number in range(3)]
    crm.round()
    assert ids[1:] == [None, None]
    assert [row.data["n"] for row in crm.started] == [0]


def test_only_events_that_fit(crm: Crm) -> None:
    crm.watch("trigger_event", event="paid", filters={"amount": {"$gte": 1000}})
    crm.emit("paid", {"amount": 10})
    crm.emit("paid", {"amount": 1000})
    crm.round()
    assert [row.data["amount"] for row in crm.started] == [1000]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "event_names"),
        ({"event_names": []}, "at least 1 item"),
        ({"event": "paid", "filters": {"n": {"$near": 1}}}, "unknown operator '$near'"),
    ],
)
def test_what_no_event_can_be(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.problems("trigger_event", config)[0]
