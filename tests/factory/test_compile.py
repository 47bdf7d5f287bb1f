"""Compiling is a pure function: the plans of known definitions are kept under tests/fixtures/plans.

After a wanted change, look at the difference that `REGENERATE_PLANS=1 pytest tests/factory/test_compile.py` leaves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dag_factory.examine import plan_of
from dag_factory.plan import Plan
from oneo_operators.catalogue import NodeCatalogue, catalogue
from tests.factory.documents import START, chain, clock, edge, graph, node, notify, route

ROOT = Path(__file__).parents[2]
PLANS = ROOT / "tests/fixtures/plans"
REGENERATE = bool(os.environ.get("REGENERATE_PLANS"))
A, B, C, LAST = notify("a"), notify("b"), notify("c"), notify("last")
HIGH = {"if": "trigger.n > 1", "then": "a", "label": "high"}
LOW = {"else": "b", "label": "low"}
CALL = {"id": "call", "type": "http_request", "config": {"url": "https://example.com"}}
NEW = node("new", "trigger_record_created", pipeline_ids=["leads"])

DOCUMENTS: dict[str, Any] = {
    "lead_qualification": json.loads((ROOT / "include/workflows/lead_qualification.json").read_text()),
    "no_edges": chain(A, B),
    "branch_by_label": graph(
        [route({**HIGH, "then": None}, {"elif": "trigger.n > 0", "label": "some"}, LOW), A, B, C],
        [
            edge("start", "route"),
            edge("route", "a", "high"),
            edge("route", "c", "some"),
            edge("route", "b", "low"),
        ],
    ),
    "branch_by_target": graph(
        [route({"if": "trigger.n > 1", "then": "a"}, {"else": "b"}), A, B],
        [edge("start", "route"), edge("route", "a", "a"), edge("route", "b", "b")],
    ),
    "branch_by_bare_edge": graph(
        [route(HIGH, LOW), A, B, C], [edge("start", "route"), *(edge("route", x) for x in "abc")]
    ),
    "branch_by_then_alone": graph([route(HIGH, LOW), A, B], [edge("start", "route")]),
    "join_after_branches": graph(
        [route(HIGH, LOW), A, B, LAST],
        [edge("start", "route"), edge("a", "last"), edge("b", "last"), edge("route", "last", "low")],
    ),
    "error_edges": graph(
        [CALL, A, B, LAST],
        [
            edge("start", "call"),
            edge("call", "a"),
            edge("call", "b", "error"),
            edge("a", "last"),
            edge("call", "last", "error"),
        ],
    ),
    "several_triggers": graph([NEW, A, B], [edge("start", "a"), edge("new", "a"), edge("new", "b")]),
    "schedule": {
        "id": "w",
        "name": "W",
        "settings": {
            "timezone": "Europe/Berlin",
            "max_active_runs": 9,
            "timeout_minutes": 30,
            "tags": ["nightly"],
        },
        "nodes": [
            clock("0 9 * * MON", timezone="America/New_York", max_concurrent=2, catch_up_on_failure=True),
            A,
        ],
    },
    "error_handling": chain(
        {
            **A,
            "error_handling": {
                "retry_count": 5,
                "retry_delay": 1500,
                "retry_backoff": "fixed",
                "on_error": "continue",
            },
        },
        {**B, "error_handling": {"retry_delay": 0}},
        node(
            "own_options",
            "http_request",
            url="https://example.com",
            retry_count=4,
            retry_backoff="exponential",
        ),
        error_handling={"retry_count": 1, "retry_delay": 250, "retry_backoff": "fixed"},
    ),
    "fallback_node": chain(
        {**CALL, "error_handling": {"on_error": "route", "fallback_node": "b"}},
        A,
        B,
        settings={"error_workflow": "rescue"},
    ),
    "retries_wanted": chain(
        {**A, "error_handling": {"on_error": "retry"}},
        {
            **node("post", "http_request", method="POST", url="https://example.com"),
            "error_handling": {"on_error": "retry"},
        },
        node("careful", "http_request", method="POST", url="https://example.com"),
        error_handling={"on_error": "retry"},
    ),
    "type_defaults": chain(A, node("post", "http_request", method="POST", url="https://example.com")),
    "dynamic_reads": chain(
        A,
        B,
        notify("every", message="{{ nodes[trigger.which] }}"),
        notify(
            "one",
            message="{{ nodes.a.notifications }} {{ outputs.b.x | default('') }} {{ node_start.y }} {{ secrets.k }}",
        ),
    ),
    "variables": chain(
        A,
        variables={
            "limit": 5,
            "region": {"type": "string", "required": True, "enum": ["eu", "us"]},
            "none": None,
        },
    ),
}


def text(plan: Plan) -> str:
    return json.dumps(plan.as_json(), indent=1, ensure_ascii=False) + "\n"


def plan(name: str) -> Plan:
    return plan_of(DOCUMENTS[name], catalogue())


def routes(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(one.source, one.target): one.routes for one in plan(name).edges}


def gates(name: str) -> set[str]:
    return {one.gate for one in plan(name).edges if one.gate}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_plan_is_the_one_on_file(name: str):
    path = PLANS / f"{name}.json"
    if REGENERATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(plan(name)), encoding="utf-8")
    assert text(plan(name)) == path.read_text(encoding="utf-8")


def test_every_plan_on_file_has_its_definition():
    assert {path.stem for path in PLANS.glob("*.json")} == set(DOCUMENTS)


def test_plan_is_the_same_under_any_hash_seed():
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); import test_compile as t;"
        "print(json.dumps({name: t.text(t.plan(name)) for name in t.DOCUMENTS}))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert json.loads(printed[0]) == {name: text(plan(name)) for name in DOCUMENTS}


def test_plan_does_not_depend_on_the_order_of_the_catalogue():
    turned = NodeCatalogue()
    for name in reversed(turned.types()):
        turned.get(name)
    turned._sources = dict(reversed(turned._sources.items()))
    for name, document in DOCUMENTS.items():
        assert text(plan_of(document, turned)) == text(plan(name))


def test_branches_are_found_by_label_target_bare_edge_and_then():
    assert routes("branch_by_label")["route", "c"] == ("some",)
    assert routes("branch_by_target") == {
        ("start", "route"): ("success",),
        ("route", "a"): ("a",),
        ("route", "b"): ("b",),
    }
    assert routes("branch_by_bare_edge")["route", "a"] == ("high",)
    assert routes("branch_by_bare_edge")["route", "c"] == ("success",)
    assert routes("branch_by_then_alone")["route", "b"] == ("low",)


def test_a_join_has_a_gate_on_every_way_in_that_may_not_be_taken():
    assert gates("join_after_branches") == {"route.last"}
    assert plan("join_after_branches").by_id["last"].join
    assert gates("branch_by_label") == set()
    assert gates("error_edges") == {"call.last"}
    assert gates("several_triggers") == {"start.a", "new.a"}


def test_a_label_that_is_also_a_target_means_the_branch_that_leads_where_the_edge_leads():
    crossed = route({"if": "true", "then": "a", "label": "b"}, {"else": "b"})
    edges = [edge("start", "route"), edge("route", "a", "b"), edge("route", "b", "b")]
    found = {
        (one.source, one.target): one.routes
        for one in plan_of(graph([crossed, A, B], edges), catalogue()).edges
    }
    assert found["route", "a"] == ("b",)
    assert found["route", "b"] == ("b (2)",)


def test_branches_that_share_a_label_keep_their_own_targets():
    shared = route(
        {"if": "trigger.x", "then": "a", "label": "hot"}, {"elif": "trigger.y", "then": "b", "label": "hot"}
    )
    edges = [
        edge("start", "route"),
        edge("route", "a", "hot"),
        edge("route", "b", "hot"),
        edge("route", "c", "hot"),
    ]
    found = {
        (one.source, one.target): one.routes
        for one in plan_of(graph([shared, A, B, C], edges), catalogue()).edges
    }
    assert found["route", "a"] == ("hot",)
    assert found["route", "b"] == ("hot (2)",)
    assert found["route", "c"] == ("hot", "hot (2)")


def test_error_handling_of_the_node_weighs_more_than_its_options_the_workflow_and_the_type():
    nodes = plan("error_handling").by_id
    assert (nodes["a"].retry.count, nodes["a"].retry.delay_seconds, nodes["a"].retry.exponential) == (
        5,
        1.5,
        False,
    )
    assert nodes["a"].on_error == "continue"
    assert (nodes["b"].retry.count, nodes["b"].retry.delay_seconds, nodes["b"].on_error) == (1, 0.0, "fail")
    own = nodes["own_options"].retry
    assert (own.count, own.delay_seconds, own.exponential) == (4, 0.25, True)
    assert plan("type_defaults").by_id["post"].retry.count == 0
    assert plan("type_defaults").by_id["a"].retry.count == 2


def test_a_number_of_retries_that_is_written_as_text_is_a_number_in_the_plan():
    call = node("call", "http_request", url="https://example.com", retry_count="3")
    assert plan_of(chain(call), catalogue()).by_id["call"].retry.count == 3


def test_a_node_pulls_what_it_reads_and_a_computed_name_pulls_everything_before_it():
    nodes = plan("dynamic_reads").by_id
    assert nodes["every"].reads == ("a", "b", "start")
    assert nodes["one"].reads == ("a", "b", "start")
    assert nodes["a"].reads == ()


def test_schedule_comes_from_the_clock_and_limits_the_runs():
    found = plan("schedule")
    assert found.schedule is not None
    assert (found.schedule.crons, found.schedule.timezone) == (("0 9 * * MON",), "America/New_York")
    assert (found.max_active_runs, found.schedule.catchup, found.timezone) == (2, True, "Europe/Berlin")


def test_workflow_without_an_id_is_called_by_its_name():
    document = {"name": "  Lead: Qualification 2!", "nodes": [START, A]}
    assert plan_of(document, catalogue()).workflow_id == "lead_qualification_2"


def test_a_thousand_nodes_compile():
    many = chain(*(notify(f"n{index}") for index in range(999)))
    assert len(plan_of(many, catalogue()).nodes) == 1000


def test_retries_that_are_wanted_are_made_even_where_the_type_makes_none():
    nodes = plan("retries_wanted").by_id
    assert [nodes[name].retry.count for name in ("a", "post", "careful")] == [2, 2, 0]
    assert {one.on_error for one in nodes.values()} == {"fail"}


def test_a_fallback_node_is_led_to_by_errors_only():
    assert routes("fallback_node") == {
        ("start", "call"): ("success",),
        ("call", "a"): ("success",),
        ("call", "b"): ("error",),
    }
