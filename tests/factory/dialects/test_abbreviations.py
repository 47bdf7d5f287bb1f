"""Abbreviated nodes are read as most would expect, and everybody is told; incomplete ones stay mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.examine import examine, plan_of
from oneo_operators.catalogue import catalogue
from tests.factory.dialects.written import START, chain, edge, graph, node, notify, show

FIND = node("find", "find_records", pipeline_id="leads")
JUDGE = node("judge", "ai_analysis", analysis_type="lead_scoring", extract=["urgency"])


def config_of(document: dict[str, Any], name: str = "a") -> Any:
    return next(one for one in to_canonical(document).document["nodes"] if one["id"] == name).get("config")


OWNER = "{{ default(record.owner, 'admin') }}"
READ = {
    "kind of a task": (
        node("a", "create_follow_up_task", type="call"),
        {"task_type": "call", "title": "Call"},
        ['type "call" is read as task_type "call"', 'title is missing and is read as "Call"'],
    ),
    "task with a name": (
        {**node("a", "create_follow_up_task", type="follow_up"), "name": "Ask again"},
        {"task_type": "follow_up", "title": "Ask again"},
        ['type "follow_up" is read as task_type "follow_up"', 'title is missing and is read as "Ask again"'],
    ),
    "kind beside a title": (
        node("a", "create_follow_up_task", type="call", title="Ring"),
        {"title": "Ring", "task_type": "call"},
        ['type "call" is read as task_type "call"'],
    ),
    "status that follows": (
        node("a", "update_contact_status", record_id="{{ trigger.id }}", status="qualified"),
        {"record_id": "{{ trigger.id }}", "new_status": "qualified"},
        ['status "qualified" is read as new_status "qualified"'],
    ),
    "notification of a message": (
        node("a", "task_notify", message="Look"),
        {"message": "Look", "recipients": [OWNER], "title": "Look"},
        [f'recipients is missing and is read as ["{OWNER}"]', 'title is missing and is read as "Look"'],
    ),
    "urgent": (
        node("a", "task_notify", recipients=["eva"], title="T", message="M", urgent=True),
        {"recipients": ["eva"], "title": "T", "message": "M", "priority": "high"},
        ['urgent true is read as priority "high"'],
    ),
    "pipeline": (
        node("a", "create_record", pipeline="tickets"),
        {"pipeline_id": "tickets", "record_data": {}},
        ['pipeline "tickets" is read as pipeline_id "tickets"', "record_data is missing and is read as {}"],
    ),
    "pipeline beside data": (
        node("a", "create_record", pipeline="tickets", record_data={"x": 1}),
        {"record_data": {"x": 1}, "pipeline_id": "tickets"},
        ['pipeline "tickets" is read as pipeline_id "tickets"'],
    ),
    "search": (
        {"id": "a", "type": "find_records"},
        {"pipeline_id": "{{ record.pipeline_id }}"},
        ['pipeline_id is missing and is read as "{{ record.pipeline_id }}"'],
    ),
}


@pytest.mark.parametrize("name", READ)
def test_abbreviation_is_read_and_reported(name: str):
    written, config, said = READ[name]
    converted = to_canonical(chain(written))

    assert config_of(chain(written)) == config
    assert converted.approximations == [f"node 'a': {one}" for one in said]
    assert examine(chain(written), catalogue()).problems == []


def test_loop_goes_through_what_the_search_before_it_found():
    document = chain(FIND, node("a", "for_each", max_iterations=5), notify())
    assert config_of(document) == {"max_iterations": 5, "items_source": "{{ nodes['find'].records }}"}


@pytest.mark.parametrize(
    ("shorthand", "compared"),
    [
        ({"threshold": 70}, "nodes['judge'].score >= 70"),
        ({"check": "urgency"}, "nodes['judge'].urgency in ['high', 'urgent', true]"),
    ],
    ids=str,
)
def test_shorthand_of_a_condition_looks_at_the_node_that_is_to_judge(shorthand: Any, compared: str):
    document = chain(JUDGE, notify("tell_first"), node("a", "condition", **shorthand), notify("then"))
    assert config_of(document) == {"conditions": [{"if": compared, "then": "then", "label": "yes"}]}


def test_named_ways_on_are_the_branches():
    edges = [edge("start", "judge"), edge("judge", "a"), edge("a", "x", "good"), edge("a", "y", "bad")]
    document = graph([JUDGE, node("a", "condition", threshold=1.5), notify("x"), notify("y")], edges)
    assert config_of(document)["conditions"] == [
        {"if": "nodes['judge'].score >= 1.5", "then": "x", "label": "good"},
        {"else": "y", "label": "bad"},
    ]


def test_single_way_on_is_taken_where_the_condition_holds():
    judge = show("judge", score=1)
    edges = [edge("start", "judge"), edge("judge", "a"), edge("a", "then")]
    document = graph([judge, node("a", "condition", threshold=70), notify("then")], edges)

    found = plan_of(document, catalogue()).edges
    assert [one.routes for one in found if one.target == "then"] == [("yes",)]


def test_ways_of_errors_and_back_into_loops_are_no_ways_on():
    edges = [
        edge("start", "judge"), edge("judge", "each"), {**edge("each", "a"), "loop": True},
        {**edge("a", "each"), "loop_back": True}, edge("a", "tell", "error"),
    ]  # fmt: skip
    nodes = [JUDGE, node("each", "for_each", items_source=[1]), node("a", "condition", threshold=1), notify()]
    assert config_of(graph(nodes, edges)) == {"threshold": 1}


def after(*nodes: dict[str, Any]) -> dict[str, Any]:
    return chain(*nodes, notify())


TWO_WAYS = graph(
    [FIND, notify("beside"), node("a", "for_each")],
    [edge("start", "find"), edge("start", "beside"), edge("find", "a"), edge("beside", "a")],
)
UNCLEAR = {
    "task without a title": (chain(node("a", "create_follow_up_task", task_type="call")), ".title"),
    "two kinds of a task": (
        chain(node("a", "create_follow_up_task", type="call", task_type="x", title="T")),
        ".type",
    ),
    "kind is no text": (chain(node("a", "create_follow_up_task", type=5, title="T")), ".type"),
    "notification without a title": (
        chain(node("a", "task_notify", recipients=["eva"], message="x")),
        ".title",
    ),
    "notification without recipients": (
        chain(node("a", "task_notify", title="x", message="x")),
        ".recipients",
    ),
    "perhaps urgent": (chain(node("a", "task_notify", message="x", urgent="perhaps")), ".urgent"),
    "pipeline twice": (
        chain(node("a", "create_record", pipeline="x", pipeline_id="y", record_data={})),
        ".pipeline",
    ),
    "search by filters alone": (chain(node("a", "find_records", filters={"x": 1})), ".pipeline_id"),
    "loop behind something else": (chain(show("b"), node("a", "for_each"), notify()), ".items_source"),
    "loop behind two nodes": (TWO_WAYS, ".items_source"),
    "threshold of nothing": (after(FIND, node("a", "condition", threshold=70)), ".threshold"),
    "threshold is no number": (
        after(show("b", score=1), node("a", "condition", threshold="x")),
        ".threshold",
    ),
    "check of something else": (after(show("b", score=1), node("a", "condition", check="mood")), ".check"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_could_be_meant_otherwise_stays_a_mistake(name: str):
    document, place = UNCLEAR[name]
    index = [one["id"] for one in document["nodes"]].index("a")
    errors = [one for one in examine(document, catalogue()).problems if one.severity == "error"]

    assert [one.path for one in errors] == [f"$.nodes[{index}].config{place}"]
    assert errors[0].hint


@pytest.mark.parametrize(
    ("config", "missing"),
    [({}, ["recipients", "title", "message"]), ({"message": "x" * 201}, ["recipients", "title"])],
    ids=["nothing", "too long"],
)
def test_notification_without_a_headline_stays_a_mistake(config: dict[str, Any], missing: list[str]):
    problems = examine(chain(node("a", "task_notify", **config)), catalogue()).problems
    assert [one.path for one in problems] == [f"$.nodes[1].config.{name}" for name in missing]


def test_wrong_value_of_an_abbreviation_is_shown_under_the_name_its_author_gave_it():
    document = chain(node("a", "create_record", pipeline="{{ record.nme | uper }}"))
    problems = examine(document, catalogue()).problems
    assert [one.path for one in problems] == ["$.nodes[1].config.pipeline"]


def test_abbreviation_in_a_body_is_shown_where_its_author_wrote_it():
    body = [node("b", "create_follow_up_task", type="call", title="{{ x | uper }}")]
    loop = node("each", "for_each", items_source=[1], sub_nodes=body)
    examination = examine({"name": "W", "nodes": [START, loop]}, catalogue())

    assert examination.approximations == ['node \'b\': type "call" is read as task_type "call"']
    assert [one.path for one in examination.problems] == ["$.nodes[1].config.sub_nodes[0].config.title"]


def test_nodes_in_a_circle_are_no_way_to_a_source():
    edges = [edge("start", "x"), edge("a", "b"), edge("b", "a")]
    document = graph([node("a", "condition", threshold=1), notify("b"), notify("x")], edges)
    assert "$.nodes[1].config.threshold" in [one.path for one in examine(document, catalogue()).problems]
