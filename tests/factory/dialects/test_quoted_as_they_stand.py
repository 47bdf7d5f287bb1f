"""The quoted workflows as they stand: valid, each reading reported, and run as far as this version can run them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.dialects.type_names import meanwhile
from dag_factory.examine import examine, plan_of
from dag_factory.render import Edition, render
from oneo_operators.catalogue import catalogue
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

FIXTURES = Path(__file__).parents[2] / "fixtures"
READINGS = FIXTURES / "readings.json"
# After a wanted change, look at the difference that REGENERATE_PLANS=1 leaves.
REGENERATE = bool(os.environ.get("REGENERATE_PLANS"))
NAMELESS = "without id and name this is 'untitled_workflow', like any other workflow without them"
DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FIXTURES / "workflows").glob("*.json"))
}
# Where nodes stand whose type some version has not, and those types.
MISSING = {
    "catalogue-conditional-branching": {},
    "catalogue-customer-onboarding-workflow": {
        "$.nodes[0].type": "trigger_record_updated",
        "$.nodes[2].type": "unipile_send_email",
        "$.nodes[3].type": "wait_delay",
        "$.nodes[5].type": "generate_form_link",
    },
    "catalogue-error-recovery-flow": {},
    "catalogue-lead-qualification-workflow": {
        "$.nodes[1].type": "ai_analysis",
        "$.nodes[3].type": "update_contact_status",
        "$.nodes[5].type": "unipile_send_email",
    },
    "catalogue-loop-implementation": {},
    "catalogue-parallel-processing": {},
    "catalogue-sequential-processing": {"$.nodes[2].type": "ai_analysis"},
    "catalogue-support-ticket-workflow": {
        "$.nodes[0].type": "trigger_email_received",
        "$.nodes[1].type": "ai_analysis",
        "$.nodes[5].type": "unipile_send_email",
    },
    "steps-lead-nurture-workflow": {
        "$.trigger.type": "trigger_event",
        "$.steps[0].configuration.action": "unipile_send_email",
        "$.steps[1].type": "wait_delay",
        "$.steps[3].configuration.action": "unipile_send_email",
        "$.steps[5].type": "human_task",
    },
    "steps-opportunity-pipeline-workflow": {
        "$.trigger.type": "trigger_event",
        "$.steps[1].type": "human_task",
        "$.steps[4].type": "wait_delay",
        "$.steps[5].configuration.action": "unipile_send_email",
    },
}


def is_missing(type_name: str) -> bool:
    found = catalogue().get(type_name)
    return found is not None and found.is_missing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_valid_and_nothing_is_wrong_but_what_this_version_lacks(name: str):
    examination = examine(DOCUMENTS[name], catalogue())

    assert examination.ok
    lacking = {path: kind for path, kind in MISSING[name].items() if is_missing(kind)}
    found = {one.path: one for one in examination.problems if one.severity == "missing"}
    assert found.keys() == lacking.keys()
    for path, kind in lacking.items():
        assert repr(kind) in found[path].message
        assert found[path].hint == meanwhile(kind)
    others = [one.message for one in examination.problems if one.severity != "missing"]
    assert others == ([] if "name" in DOCUMENTS[name] else [NAMELESS])


def test_each_reading_is_reported():
    readings = {name: examine(one, catalogue()).approximations for name, one in DOCUMENTS.items()}
    if REGENERATE:
        READINGS.write_text(json.dumps(readings, indent=2, ensure_ascii=False) + "\n")
    assert readings == json.loads(READINGS.read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_becomes_a_dag_with_a_task_for_each_node(name: str):
    document = DOCUMENTS[name]
    edition = Edition("acme", 1, datetime(2026, 1, 1, tzinfo=UTC), document)
    plan = plan_of(document, catalogue())
    dag = render(plan, edition, catalogue())

    assert {node.id for node in plan.nodes} <= set(dag.task_ids)
    again = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert again.task_ids == dag.task_ids


LEAD = {"email": "ann@example.com", "firstName": "Ann", "company": {"name": "Acme"}, "assignedTo": "eva"}
DATA: dict[str, dict[str, Any]] = {
    "steps-lead-nurture-workflow": {"lead": LEAD},
    "steps-opportunity-pipeline-workflow": {"opportunity": {"assignedTo": "eva"}},
}


def run(crm: Bench, name: str) -> dict[str, Any]:
    for pipeline in ("onboarding_tasks", "tickets"):
        crm.pipeline(pipeline)
    record = crm.record("leads", name="Ann", amount=2000, owner="eva")
    plan = plan_of(DOCUMENTS[name], catalogue())
    return crm.run(plan, DATA.get(name, {"record_id": record}), *(node.id for node in plan.triggers))


@pytest.mark.parametrize("name", [name for name, missing in MISSING.items() if missing])
def test_it_runs_to_the_first_node_that_is_missing(bench: Bench, name: str):
    plan = plan_of(DOCUMENTS[name], catalogue())
    missing = [node for node in plan.nodes if is_missing(node.type) and not node.is_trigger]
    report = run(bench, name)

    if not missing:
        assert report["status"] == "success", report["error"]
        return
    stopped = report["nodes"][missing[0].id]
    assert (report["status"], stopped["status"], stopped["attempts"]) == ("failed", "failed", 1)
    assert stopped["error"]["message"] == f"this version does not have node type {missing[0].type!r} yet"
    assert stopped["error"]["hint"] == meanwhile(missing[0].type)
    before = [node.id for node in plan.nodes if not node.is_trigger]
    before = before[: before.index(missing[0].id)]
    assert {report["nodes"][node_id]["status"] for node_id in before} <= {"success"}


def test_branches_without_a_comparison_lead_to_the_standard(bench: Bench):
    report = run(bench, "catalogue-conditional-branching")

    assert report["status"] == "success", report["error"]
    assert {node: one["status"] for node, one in report["nodes"].items()} == {
        "1": "success", "2": "success", "3": "skipped", "4": "success",
    }  # fmt: skip


def test_paths_that_do_nothing_come_together(bench: Bench):
    report = run(bench, "catalogue-parallel-processing")

    assert report["status"] == "success", report["error"]
    assert report["nodes"]["5"]["output"] == {"branches": {"3": {}, "4": {}}}


def test_loop_passes_the_records_on(bench: Bench):
    report = run(bench, "catalogue-loop-implementation")

    assert report["status"] == "success", report["error"]
    results = report["nodes"]["4"]["output"]["results"]
    assert [one["record"]["name"] for one in results] == ["Ann"]


def test_failure_is_told_and_then_recovered_from(bench: Bench):
    report = run(bench, "catalogue-error-recovery-flow")

    assert report["status"] == "success", report["error"]
    assert {node: one["status"] for node, one in report["nodes"].items()} == {
        "1": "failed", "2": "success", "3": "success", "4": "success",
    }  # fmt: skip
    told = bench.notifications_of(report["execution"])
    assert [(one.recipient, one.title, one.message) for one in told] == [
        ("eva", "error_handler: 1 failed", "url is missing")
    ]
