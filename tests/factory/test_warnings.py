# ruff: noqa: E501 - tables
"""What is fine is not questioned: no warning where nothing is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dag_factory.examine import examine
from oneo_operators.catalogue import catalogue
from tests.control_flow.cases import CASES
from tests.factory.corpus_loops import COUNT, A, B, C, again, counted, looped, stop
from tests.factory.documents import chain, edge, graph, node, notify, route

ROOT = Path(__file__).parents[2]
FOLDERS = ("include/workflows", "docs/examples", "tests/fixtures/workflows")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.json"))


def warnings(document: Any) -> list[str]:
    problems = examine(document, catalogue()).problems
    return [str(one) for one in problems if one.severity == "warning" and one.path != "$"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_workflow_of_this_project_is_not_questioned(path: Path):
    assert warnings(json.loads(path.read_text())) == []


@pytest.mark.parametrize("text", [
    "{{ secrets.crm_key }}", "Bearer {{ secrets.crm_key }}", "", "{{ nodes.login.body.token }}",
])  # fmt: skip
def test_an_expression_in_the_place_of_a_secret_is_fine(text: str):
    call = node(
        "call", "http_request", url="https://example.com", headers={"Authorization": text, "X-Api-Key": text}
    )
    assert warnings(chain(node("login", "http_request", url="https://example.com"), call)) == []


@pytest.mark.parametrize("options", [
    {"body": {"max_tokens": 100, "tokens": "all", "secretary": "Ann", "key": "name", "token_type": "x", "monkey": "x"}},
    {"body": {"text": "The bearer of this letter", "note": "Bearer instruments and sk-1", "basic": "Basic training"}},
    {"body": {"password": None, "has_password": True, "password_reset": "yes"}},
    {"url": "https://example.com:8080/a@b?tokens=all"},
    {"headers": {"Idempotency-Key": "{{ execution.id }}", "X-Key": "a"}},
])  # fmt: skip
def test_what_only_resembles_a_secret_is_fine(options: dict[str, Any]):
    assert warnings(chain(node("call", "http_request", **{"url": "https://example.com", **options}))) == []


def test_the_text_of_a_secret_is_not_repeated():
    document = chain(
        node(
            "call",
            "http_request",
            url="https://example.com",
            headers={"Authorization": "Bearer a1b2c3d4e5f6"},
        )
    )
    assert "a1b2c3d4" not in json.dumps(examine(document, catalogue()).as_json())


def test_a_branch_that_another_node_reads_needs_no_way_on():
    fork = route({"if": "trigger.x", "label": "yes"}, {"elif": "true", "label": "no"})
    assert warnings(chain(fork, notify(message="{{ nodes.route.branch }}"))) == []


def test_a_step_without_a_next_one_is_an_end():
    ask = {
        "id": "ask",
        "type": "condition",
        "configuration": {"condition": "trigger.x > 1", "trueSteps": [], "falseSteps": ["tell"]},
    }
    tell = {
        "id": "tell",
        "type": "action",
        "configuration": {"action": "task_notify", "parameters": notify()["config"]},
    }
    assert warnings({"id": "w", "name": "W", "steps": [ask, tell]}) == []


def test_branches_of_one_label_with_targets_of_their_own_are_fine():
    twice = route(
        {"if": "trigger.x", "then": "a", "label": "hot"}, {"elif": "trigger.y", "then": "b", "label": "hot"}
    )
    document = graph(
        [twice, A, B], [edge("start", "route"), edge("route", "a", "hot"), edge("route", "b", "hot")]
    )
    assert warnings(document) == []


ENDING = {
    "a variable that is counted": counted(COUNT),
    "the same, by an expression": counted(COUNT, exit_conditions=[{"condition": "variables.n > 3"}]),
    "the same, by its bare name": counted(COUNT, exit_conditions=[{"condition": "n > 3"}]),
    "one of two conditions": counted(COUNT, exit_conditions=[{"condition": "trigger.x"}, {"condition": "variables.n > 3"}]),
    "while": counted(COUNT, loop_type="while", while_condition="variables.n < 3", exit_conditions=[]),
    "an output of the body": counted(node("call", "http_request", url="https://example.com"), exit_conditions=[{"condition": "nodes.call.status == 200"}]),
    "the same, by a path": counted(node("call", "http_request", url="https://example.com"), exit_conditions=[{"type": "node_output", "path": "call.status", "expected_value": 200}]),
    "context that a node may write": counted(node("call", "http_request", url="https://example.com"), exit_conditions=[{"type": "context_value", "path": "success"}]),
    "the record that is changed": counted(node("up", "update_record", update_fields={"x": 1}), exit_conditions=[{"condition": "record.x > 3"}]),
    "the clock": counted(COUNT, exit_conditions=[{"condition": "now > date.parse(trigger.until)"}]),
    "chance": counted(COUNT, exit_conditions=[{"condition": "random() > 0.5"}]),
    "a variable whose name is known later": counted(node("put", "set_variable", name="{{ trigger.which }}", value=1), exit_conditions=[{"condition": "variables.n > 3"}]),
    "a variable that is removed": counted(node("put", "set_variable", unset=["n"]), exit_conditions=[{"condition": "variables.n is defined"}]),
    "a count": counted(COUNT, loop_type="count", count=3, exit_conditions=[]),
    "a few rounds": counted(COUNT, exit_conditions=[], max_iterations=100),
    "a breaker": counted(COUNT, stop(break_conditions=[{"condition": "variables.n > 3"}]), exit_conditions=[], max_iterations=50_000),
    "a breaker behind a condition": looped(A, route({"if": "item > 1", "then": "stop"}, {"else": "b"}), stop(break_conditions=[{"condition": "true"}]), more=[edge("route", "b"), edge("b", "each", loop_back=True)], nodes=[B]),
    "the item": looped(A, stop(break_conditions=[{"condition": "item > 1"}])),
    "the number of the round": looped(A, stop(break_conditions=[{"condition": "loop.index > 1"}])),
    "an output of the round": looped(A, stop(break_conditions=[{"condition": "nodes.a.recipients"}])),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDING)
def test_a_loop_that_something_ends_is_fine(name: str):
    assert examine(ENDING[name], catalogue()).problems == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_control_flow_that_is_known_to_work_has_no_errors(case: Any):
    assert [one for one in examine(case.document, catalogue()).problems if one.severity == "error"] == []


def test_a_name_of_the_workflow_s_own_is_no_item():
    document = looped(
        A,
        nodes=[notify("last", message="{{ item }}{{ loop }}")],
        more=[edge("end", "last")],
        variables={"item": 1, "loop": 2},
    )
    assert examine(document, catalogue()).problems == []


def test_an_item_that_may_be_missing_is_fine():
    document = looped(
        A, nodes=[notify("last", message="{{ item | default('') }}")], more=[edge("end", "last")]
    )
    assert examine(document, catalogue()).problems == []


def test_overlapping_loops_are_named():
    other = again()
    edges = [
        edge("start", "each"), edge("each", "a", loop=True), edge("a", "b"), edge("b", "each", loop_back=True),
        edge("start", "again"), edge("again", "b", loop=True), edge("b", "again", loop_back=True), edge("again", "c", loop_complete=True),
    ]  # fmt: skip
    document = graph([node("each", "for_each", items_source=[1]), other, A, B, C], edges, variables={"n": 0})
    assert any("overlap" in one.message and one.hint for one in examine(document, catalogue()).problems)


FORK = route({"if": "trigger.x", "then": "a", "label": "yes"}, {"else": "b", "label": "no"})


def forked(source: str, *edges: dict[str, Any]) -> dict[str, Any]:
    """What a node behind two branches reads."""
    both = [edge("start", "route"), edge("route", "a"), edge("route", "b")]
    return graph([FORK, notify("a"), notify("b"), notify("end", message=source)], [*both, *edges])


@pytest.mark.parametrize(
    "document",
    [
        forked("{{ nodes.a.x }}", edge("a", "end")),
        forked("{{ nodes.a.x | default('none') }}", edge("a", "end"), edge("b", "end")),
        forked("{{ nodes.a.x if nodes.a is defined else '' }}", edge("a", "end")),
        forked("{{ nodes.route.branch }}", edge("a", "end"), edge("b", "end")),
        graph(
            [notify("a"), notify("b"), notify("end", message="{{ nodes.a.x }} {{ nodes.b.x }}")],
            [edge("start", "a"), edge("start", "b"), edge("a", "end"), edge("b", "end")],
        ),
    ],
    ids=["on its branch", "with a default", "that is tested", "the fork itself", "side by side"],
)
def test_an_output_that_is_there_whenever_it_is_read_is_fine(document: dict[str, Any]):
    assert warnings(document) == []


@pytest.mark.parametrize(
    "source",
    [
        "records[0].name",
        "content.text",
        "output.total",
        "lead.email",
        "default(recrod.name, '')",
        "limits.x",
        "code",
    ],
)
def test_a_name_that_what_starts_the_workflow_may_give_is_fine(source: str):
    document = chain(notify("tell", message=f"{{{{ {source} }}}}"), variables={"limit": {"default": {}}})
    assert warnings(document) == []
