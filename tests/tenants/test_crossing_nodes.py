"""No node reaches another tenant's rows, whatever ids and filters its author writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from oneo.database import Database, to_json
from oneo.errors import OneoError
from oneo_operators.catalogue import catalogue
from tests.nodes.bench import Bench
from tests.tenants.world import EMAIL, SECRET, SECRET_NUMBER, Ids, World, make_world, remove_world, rows_of

TYPES = sorted(catalogue().types())
START = {"id": "start", "type": "trigger_manual"}
# What a node without a way to the store could show: the record that the execution is given.
SEEN = "{{ record.word | default('') }}"
THEIRS = "record.word | default('open') != 'open'"
READ = {"id": "read", "type": "set_variable", "config": {"variables": {"seen": SEEN}}}


def loop(ids: Ids, head: dict[str, Any], *inside: dict[str, Any]) -> dict[str, Any]:
    chain = [head, *inside]
    edges = [
        {"source": "start", "target": head["id"]},
        {"source": head["id"], "target": inside[0]["id"], "loop": True},
    ]
    edges += [{"source": one["id"], "target": two["id"]} for one, two in pairwise(inside)]
    edges += [{"source": inside[-1]["id"], "target": head["id"], "loop_back": True}]
    return {"nodes": [START, *chain], "edges": edges}


def node(type_name: str, **config: Any) -> dict[str, Any]:
    return {"nodes": [START, {"id": "node", "type": type_name, "config": config}]}


def trigger(type_name: str, **config: Any) -> dict[str, Any]:
    return {"nodes": [{"id": "start", "type": type_name, "config": config}, READ]}


EACH = {"id": "each", "type": "for_each", "config": {"items_source": "{{ [record.word | default('')] }}"}}
UNTIL = {
    "id": "until",
    "type": "workflow_loop_controller",
    "config": {"max_iterations": 1, "loop_type": "count"},
}
# A workflow of each node type that is out for rows of theirs. A type without one fails the test until it has.
WORKFLOWS: dict[str, Callable[[Ids], dict[str, Any]]] = {
    "condition": lambda ids: {
        "nodes": [
            START,
            {
                "id": "node",
                "type": "condition",
                "config": {"conditions": [{"if": THEIRS, "then": "tell"}, {"else": "read"}]},
            },
            {"id": "tell", "type": "set_variable", "config": {"variables": {"seen": SECRET}}},
            READ,
        ]
    },
    "create_follow_up_task": lambda ids: node(
        "create_follow_up_task",
        title=f"x{SEEN}",
        related_record=str(ids.record),
        assignment="least_load",
        assignees=["eva"],
    ),
    "create_record": lambda ids: node(
        "create_record",
        pipeline_id=ids.pipeline,
        record_data={"email": EMAIL, "word": "taken"},
        check_duplicates=True,
        merge_if_exists=True,
        parent_id=str(ids.duplicate),
    ),
    "delete_record": lambda ids: node("delete_record", record_id=str(ids.record), pipeline_id=ids.pipeline),
    "find_records": lambda ids: node("find_records", pipeline_id=ids.pipeline, filters={"email": EMAIL}),
    "for_each": lambda ids: loop(ids, EACH, READ),
    "generate_form_link": lambda ids: node(
        "generate_form_link", form_id=ids.form, record_id=str(ids.record), prefill_data={"word": SEEN}
    ),
    "http_request": lambda ids: node("http_request", method="GET", url=f"http://127.0.0.1:9/{SEEN}"),
    "merge_data": lambda ids: node(
        "merge_data", merge_sources=[{"source": "record"}, {"source": "static", "data": {"a": 1}}]
    ),
    "parallel": lambda ids: {
        "nodes": [START, {"id": "node", "type": "parallel"}, READ],
        "edges": [{"source": "start", "target": "node"}, {"source": "node", "target": "read"}],
    },
    "resolve_contact": lambda ids: node(
        "resolve_contact",
        pipeline_id=ids.pipeline,
        match_criteria={"email": EMAIL},
        merge_duplicates=True,
        update_existing=True,
        contact_data={"word": "taken"},
    ),
    "reusable_workflow": lambda ids: node("reusable_workflow", workflow_id=ids.workflow),
    "set_variable": lambda ids: {"nodes": [START, READ]},
    "sub_workflow": lambda ids: node("sub_workflow", workflow_id=ids.workflow),
    "task_notify": lambda ids: node("task_notify", recipients=["eva"], title="x", message=f"x{SEEN}"),
    "trigger_condition_met": lambda ids: trigger(
        "trigger_condition_met", conditions=[{"field": "word", "operator": "exists", "value": True}]
    ),
    "trigger_date_reached": lambda ids: trigger("trigger_date_reached", date_field="created_at"),
    "trigger_manual": lambda ids: trigger("trigger_manual"),
    "trigger_record_created": lambda ids: trigger("trigger_record_created", pipeline_ids=["*"]),
    "trigger_record_updated": lambda ids: trigger("trigger_record_updated", pipeline_ids=["*"]),
    "trigger_record_deleted": lambda ids: trigger("trigger_record_deleted", pipeline_ids=["*"]),
    "trigger_pipeline_stage_changed": lambda ids: trigger(
        "trigger_pipeline_stage_changed", pipeline_id=ids.pipeline
    ),
    "trigger_workflow_completed": lambda ids: trigger(
        "trigger_workflow_completed", source_workflow_ids=[ids.workflow]
    ),
    "trigger_form_submitted": lambda ids: trigger("trigger_form_submitted", form_ids=["*"]),
    "trigger_event": lambda ids: trigger("trigger_event", event="*"),
    "trigger_webhook": lambda ids: trigger("trigger_webhook", path="orders", secret_key="hidden"),
    "trigger_email_received": lambda ids: trigger("trigger_email_received"),
    "trigger_linkedin_message": lambda ids: trigger("trigger_linkedin_message"),
    "trigger_whatsapp_message": lambda ids: trigger("trigger_whatsapp_message", auto_acknowledge=True),
    "trigger_scheduled": lambda ids: trigger("trigger_scheduled", cron_expression="0 9 * * *"),
    "update_contact_status": lambda ids: node(
        "update_contact_status",
        record_id=str(ids.record),
        new_status="customer",
        update_related_records=True,
        notification_list=["eva"],
    ),
    "update_record": lambda ids: node(
        "update_record",
        record_id=str(ids.record),
        update_fields={"word": "taken"},
        increment_fields={"score": 1},
    ),
    "wait_delay": lambda ids: {
        "nodes": [
            START,
            {
                "id": "node",
                "type": "wait_delay",
                "config": {"delay_type": "until", "until": "{{ record.created_at | default('2020-01-01') }}"},
            },
            READ,
        ]
    },
    "workflow_loop_breaker": lambda ids: loop(
        ids,
        EACH,
        READ,
        {
            "id": "out",
            "type": "workflow_loop_breaker",
            "config": {"break_conditions": [{"condition": THEIRS}]},
        },
    ),
    "workflow_loop_controller": lambda ids: loop(ids, UNTIL, READ),
}


def problem(world: World, type_name: str, ids: Ids) -> str | None:
    """What a node shows, keeps or changes of theirs; None where it is nothing."""
    with world.database.system() as session:
        before = rows_of(session, world.theirs)
    document = {"id": f"cross-{type_name.replace('_', '-')}", "name": "Cross", **WORKFLOWS[type_name](ids)}
    try:
        report = Bench(world.database, world.mine).run(document, {"record_id": str(ids.record)})
        shown = json.dumps(json.loads(to_json(report)))
    except OneoError as error:
        shown = str(error)
    with world.database.system() as session:
        after = rows_of(session, world.theirs)
        shown += str(rows_of(session, world.mine))
    if changed := [table for table in after if after[table] != before[table]]:
        return f"changed {changed}"
    return f"showed {shown}" if SECRET in shown or str(SECRET_NUMBER) in shown else None


@pytest.fixture(scope="module")
def world(database: Database) -> Iterator[World]:
    found = make_world(database)
    yield found
    remove_world(found)


@pytest.fixture
def own(database: Database) -> Iterator[World]:
    """A world that a test may change."""
    found = make_world(database)
    yield found
    remove_world(found)


def test_every_type_has_a_case() -> None:
    assert sorted(WORKFLOWS) == TYPES


@pytest.mark.parametrize("whose", ["shared", "only"])
@pytest.mark.parametrize("type_name", TYPES)
def test_each_case_works_for_the_owner_of_the_rows(own: World, type_name: str, whose: str) -> None:
    """What nobody can do with them is not what keeps others from it."""
    ids: Ids = getattr(own, whose)
    document = {"id": "cross", "name": "Cross", **WORKFLOWS[type_name](ids)}
    with own.database.system() as session:
        before = rows_of(session, own.theirs)
    report = Bench(own.database, own.theirs).run(document, {"record_id": str(ids.record)})
    with own.database.system() as session:
        after = rows_of(session, own.theirs)
    # Nothing listens at the address of the request.
    assert report["status"] == ("failed" if type_name == "http_request" else "success"), report
    changed = [
        table for table in after if after[table] != before[table] and not table.startswith("execution")
    ]
    assert changed or SECRET in json.dumps(json.loads(to_json(report)))


@pytest.mark.parametrize("whose", ["shared", "only"])
@pytest.mark.parametrize("type_name", TYPES)
def test_nothing_of_theirs_is_shown_or_changed(world: World, type_name: str, whose: str) -> None:
    assert problem(world, type_name, getattr(world, whose)) is None


def test_without_row_level_security_much_is_shown_and_changed(unprotected: Database) -> None:
    worlds = {name: make_world(unprotected) for name in TYPES}
    broken = {name for name, world in worlds.items() if problem(world, name, world.only)}
    assert len(broken) > len(TYPES) / 2, sorted(set(TYPES) - broken)
