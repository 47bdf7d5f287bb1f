"""The quoted workflows with what is left to their authors filled in: they run to their ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.examine import examine, plan_of
from dag_factory.render import Edition, render
from oneo_operators.catalogue import catalogue
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

WORKFLOWS = Path(__file__).parents[2] / "fixtures/workflows"

QUOTED = sorted(path.stem for path in WORKFLOWS.glob("*.json"))


def data_of(**values: Any) -> dict[str, Any]:
    return {"merge_sources": [{"source": "static", "data": values}]}


# What an author might write for each of them.
TELL = ("task_notify", {"recipients": ["ann@example.com"], "title": "Welcome", "message": ""})
FILLED: dict[str, tuple[str, dict[str, Any]]] = {
    "trigger_record_updated": ("trigger_manual", {}),
    "trigger_email_received": ("trigger_manual", {}),
    "trigger_event": ("trigger_manual", {}),
    "unipile_send_email": TELL,
    "wait_delay": ("set_variable", {"variables": {"waited": True}}),
    "generate_form_link": ("merge_data", data_of(link="https://example.com/form")),
    "ai_analysis": ("merge_data", data_of(score=80, urgency="high")),
    "human_task": ("create_follow_up_task", {"title": "Ask"}),
    "high_value_flow": TELL,
    "standard_flow": ("create_follow_up_task", {"title": "Write"}),
    "path_a": ("merge_data", data_of(path="a")),
    "path_b": ("merge_data", data_of(path="b")),
    "process_record": ("merge_data", data_of(name="{{ item.name }}")),
    "aggregate_results": ("merge_data", data_of(names="{{ nodes['2'].results | map('name') }}")),
    "error_handler": TELL,
    "retry_logic": ("set_variable", {"variables": {"retried": True}}),
    "fallback_action": ("create_follow_up_task", {"title": "Call"}),
}
COMPARED = {
    "conditions": [
        {"if": "record.amount >= 1000", "then": "3", "label": "high_value"},
        {"else": "4", "label": "standard"},
    ]
}


def quoted(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((WORKFLOWS / f"{name}.json").read_text())
    return document


def filled_in(name: str) -> dict[str, Any]:
    """A quoted workflow with what is left to its author."""
    document = quoted(name)
    if "steps" in document:
        document = to_canonical(document).document
    nodes = []
    for node in document["nodes"]:
        if node["type"] in FILLED:
            kind, config = FILLED[node["type"]]
            nodes.append({**node, "type": kind, "config": config})
        elif node["type"] == "condition" and "config" not in node:
            nodes.append({**node, "config": COMPARED})
        else:
            nodes.append(node)
    return {**document, "nodes": nodes}


@pytest.fixture
def crm(bench: Bench) -> Bench:
    """A tenant with the pipelines that the quoted workflows name."""
    for name in ("onboarding_tasks", "tickets"):
        bench.pipeline(name)
    return bench


LEAD = {"email": "ann@example.com", "firstName": "Ann", "company": {"name": "Acme"}, "assignedTo": "eva"}
DATA: dict[str, dict[str, Any]] = {
    "steps-lead-nurture-workflow": {"lead": {**LEAD, "lastInteraction": "2020-01-01T00:00:00Z"}},
    "steps-opportunity-pipeline-workflow": {
        "opportunity": {"assignedTo": "eva"},
        "nextAction": "schedule_demo",
    },
}
# What did not run, and why not.
SKIPPED = {
    "catalogue-conditional-branching": {"4": "did not take 'standard'"},
    "steps-lead-nurture-workflow": {
        "send_followup": "did not take 'true'",
        "schedule_call": "'send_followup' did not run",
    },
}


@pytest.mark.parametrize("name", [name for name in QUOTED if name != "catalogue-error-recovery-flow"])
def test_workflow_with_its_gaps_filled_runs_to_its_end(crm: Bench, name: str):
    record = crm.record("leads", name="Ann", amount=2000, owner="eva")
    report = run(crm, name, DATA.get(name, {"record_id": record}))

    assert report["status"] == "success", report["error"]
    skipped = {node: one["error"] for node, one in report["nodes"].items() if one["status"] == "skipped"}
    expected = SKIPPED.get(name, {})
    assert skipped.keys() == expected.keys()
    assert all(expected[node] in error["message"] for node, error in skipped.items())


@pytest.mark.parametrize("name", QUOTED)
def test_workflow_with_its_gaps_filled_becomes_a_dag(name: str):
    document = filled_in(name)
    examination = examine(document, catalogue())
    assert [str(one) for one in examination.problems if one.severity == "error"] == []

    edition = Edition("acme", 1, datetime(2026, 1, 1, tzinfo=UTC), document)
    dag = render(plan_of(document, catalogue()), edition, catalogue())
    outside = {node["id"] for node in document["nodes"]} - {"3" if "loop" in name else None}
    assert outside <= set(dag.task_ids)


def test_call_without_an_address_says_what_it_needs(crm: Bench):
    report = run(crm, "catalogue-error-recovery-flow", {})

    assert report["status"] == "failed"
    assert (report["nodes"]["1"]["error"]["message"], report["nodes"]["2"]["status"]) == (
        "url is missing",
        "skipped",
    )
    assert "absolute URL" in report["nodes"]["1"]["error"]["hint"]


def test_low_score_ends_the_qualification(crm: Bench):
    document = filled_in("catalogue-lead-qualification-workflow")
    document["nodes"][1] = {**document["nodes"][1], "config": data_of(score=69)}
    record = crm.record("leads", name="Ann")
    report = crm.run(document, {"record_id": record}, "1")

    assert report["status"] == "success", report["error"]
    assert [node for node, one in report["nodes"].items() if one["status"] == "skipped"] == ["4", "5", "6"]
    assert crm.tasks_of(record) == []


def test_search_in_the_pipeline_of_a_record_says_that_there_is_none(crm: Bench):
    report = run(crm, "catalogue-sequential-processing", {})

    assert report["status"] == "failed"
    assert "record" in report["nodes"]["2"]["error"]["message"]


@pytest.mark.parametrize(("owner", "told"), [("eva", "eva"), (None, "admin")])
def test_urgent_ticket_is_told_to_the_owner(crm: Bench, owner: str | None, told: str):
    record = crm.record("leads", name="Ann", **({"owner": owner} if owner else {}))
    report = run(crm, "catalogue-support-ticket-workflow", {"record_id": record})

    sent = [one for one in crm.notifications_of(report["execution"]) if one.node_id == "5"]
    assert [(one.recipient, one.title, one.priority) for one in sent] == [(told, "Urgent", "high")]


def run(crm: Bench, name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Run a quoted workflow whose gaps are filled."""
    plan = plan_of(filled_in(name), catalogue())
    return crm.run(plan, data, *(node.id for node in plan.triggers))
