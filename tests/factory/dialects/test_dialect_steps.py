# ruff: noqa: E501 - tables
"""Documents of steps run as their authors meant."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.dialects import Converted, to_canonical
from dag_factory.examine import examine, plan_of, plan_of_published
from oneo_operators.catalogue import catalogue


def step(name: str, kind: str = "action", *following: str, **rest: Any) -> dict[str, Any]:
    configuration = rest.pop("configuration", {"action": "create_task", "parameters": {"title": name}})
    return {"id": name, "type": kind, "configuration": configuration, "nextSteps": list(following), **rest}


def act(name: str, action: str, /, **parameters: Any) -> dict[str, Any]:
    return step(name, configuration={"action": action, "parameters": parameters})


def document(*steps: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "id": "w",
        "name": "W",
        "trigger": {"type": "manual", "configuration": {}},
        "steps": list(steps),
        **rest,
    }


def node(converted: Converted, name: str) -> dict[str, Any]:
    return next(one for one in converted.document["nodes"] if one["id"] == name)


def edges(converted: Converted) -> list[tuple[str, str, str | None]]:
    return [(one["source"], one["target"], one.get("condition")) for one in converted.document["edges"]]


def test_steps_are_planned_published_and_named_by_their_authors_hash():
    written = document(step("a", "action", "b"), step("b"))
    plan = plan_of(written, catalogue())

    assert [one.id for one in plan.nodes] == ["trigger", "a", "b"]
    assert plan_of_published(written, catalogue()).as_json() == plan.as_json()


ACTIONS = [
    (act("a", "send_email", recipient="{{lead.email}}", template="welcome", data={"firstName": "{{lead.firstName}}"}),
     "unipile_send_email", {"to": ["{{lead.email}}"], "template": "welcome", "data": {"firstName": "{{lead.firstName}}"}}),
    (act("a", "create_record", pipeline="leads", data={"name": "x"}), "create_record",
     {"pipeline_id": "leads", "record_data": {"name": "x"}}),
    (act("a", "update_record", recordId="7", fields={"x": 1}), "update_record", {"record_id": "7", "update_fields": {"x": 1}}),
    (act("a", "call_api", url="https://x", method="POST", data={"a": 1}, timeout=5), "http_request",
     {"url": "https://x", "method": "POST", "body": {"a": 1}, "timeout_seconds": 5}),
    (act("a", "set_variable", name="tier", value="gold"), "set_variable", {"name": "tier", "value": "gold"}),
    (act("a", "create_task", title="T", assignee="ann", dueDate="+2 days"), "create_follow_up_task",
     {"title": "T", "assigned_to": "ann", "due_date": "{{ date.add_days(2) }}"}),
    (act("a", "http_request", url="https://x", timeoutSeconds=3), "http_request", {"url": "https://x", "timeout_seconds": 3}),
    (step("a", configuration={"action": "create_task", "title": "T"}), "create_follow_up_task", {"title": "T"}),
    (step("a", "delay", configuration={"duration": 259200}), "wait_delay", {"delay_seconds": 259200}),
    (step("a", "human_task", configuration={"assignee": "ann", "title": "T", "formFields": [{"name": "x"}]}), "human_task",
     {"assigned_to": "ann", "title": "T", "form_fields": [{"name": "x"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "kind", "config"), ACTIONS, ids=[one[1] for one in ACTIONS])
def test_step_becomes_a_node(written: dict[str, Any], kind: str, config: dict[str, Any]):
    converted = to_canonical(document(written))

    assert node(converted, "a") == {"id": "a", "type": kind, "config": config}
    assert converted.problems == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+1 week", "{{ date.add_weeks(1) }}"),
        ("-3 hours", "{{ date.add_hours(-3) }}"),
        ("+1 month", "{{ date.add_months(1) }}"),
        ("+5 business days", "{{ date.add_business_days(5) }}"),
        ("2026-03-01", "2026-03-01"),
        ("in 2 days", "in 2 days"),
    ],
)
def test_relative_dates(written: str, read: str):
    converted = to_canonical(document(act("a", "create_task", title="T", dueDate=written)))
    assert node(converted, "a")["config"]["due_date"] == read
    assert any(written in text for text in converted.approximations) == (written != read)


@pytest.mark.parametrize(
    ("trigger", "kind", "config"),
    [
        ({"type": "manual"}, "trigger_manual", {}),
        ({"type": "scheduled", "configuration": {"cron": "0 9 * * *"}}, "trigger_scheduled", {"cron_expression": "0 9 * * *"}),
        ({"type": "event", "configuration": {"event": "lead_qualified"}}, "trigger_event", {"event": "lead_qualified"}),
        ({"type": "event", "configuration": {"event": "record_created", "pipeline": "leads"}}, "trigger_record_created",
         {"pipeline_ids": ["leads"]}),
        ({"type": "webhook", "configuration": {"secret": "s"}}, "trigger_webhook", {"secret_key": "s"}),
    ],
)  # fmt: skip
def test_trigger(trigger: dict[str, Any], kind: str, config: dict[str, Any]):
    converted = to_canonical(document(step("a"), trigger=trigger))
    assert node(converted, "trigger") == {"id": "trigger", "type": kind, "config": config}
    assert edges(converted) == [("trigger", "a", None)]


def test_trigger_gives_way_to_a_step_of_its_name():
    assert edges(to_canonical(document(step("trigger")))) == [("trigger_1", "trigger", None)]


def test_condition_branches():
    choose = step(
        "c", "condition", configuration={"condition": "x === 1", "trueSteps": ["a", "b"], "falseSteps": ["d"]}
    )
    converted = to_canonical(document(choose, step("a"), step("b"), step("d")))

    assert node(converted, "c")["config"]["conditions"] == [
        {"if": "x == 1", "then": "a", "label": "true"},
        {"else": "d", "label": "false"},
    ]
    assert edges(converted)[:3] == [("c", "a", "true"), ("c", "b", "true"), ("c", "d", "false")]
    assert plan_of(document(choose, step("a"), step("b"), step("d")), catalogue())


def test_condition_with_one_side_only_and_next_steps():
    only_false = step("c", "condition", "b", configuration={"condition": "x", "falseSteps": ["a"]})
    written = document(only_false, step("a"), step("b"))

    assert ("c", "a", "false") in edges(to_canonical(written))
    assert examine(written, catalogue()).ok
    assert any(
        "nextSteps of a condition are left out" in text for text in to_canonical(written).approximations
    )


def test_steps_after_a_parallel_step_wait_for_the_ends_of_its_branches():
    fan = step("p", "parallel", "z", configuration={"parallelSteps": ["a", "b"]})
    converted = to_canonical(document(fan, step("a", "action", "a2"), step("a2"), step("b"), step("z")))

    assert node(converted, "p") == {"id": "p", "type": "parallel", "config": {}}
    assert set(edges(converted)) == {
        ("trigger", "p", None), ("p", "a", None), ("p", "b", None), ("a", "a2", None), ("a2", "z", None), ("b", "z", None),
    }  # fmt: skip
    assert {"source": "p", "target": "a", "parallel": True} in converted.document["edges"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"retryCount": 3, "retryDelay": 5, "onError": "retry"},
         {"retry_count": 3, "retry_delay": 5000, "retry_backoff": "fixed", "on_error": "retry"}),
        ({"retryCount": 0, "retryDelay": 1.5, "onError": "continue"},
         {"retry_count": 0, "retry_delay": 1500, "retry_backoff": "fixed", "on_error": "continue"}),
        ({"onError": "fail"}, {"on_error": "fail"}),
    ],
)  # fmt: skip
def test_error_handling(written: dict[str, Any], read: dict[str, Any]):
    assert node(to_canonical(document(step("a", errorHandling=written))), "a")["error_handling"] == read


def test_variables():
    given = [
        {"name": "lead", "type": "object", "required": True},
        {"name": "n", "type": "number", "defaultValue": 3},
    ]
    converted = to_canonical(document(step("a"), variables=given))
    assert converted.document["variables"] == {
        "lead": {"type": "object", "required": True},
        "n": {"type": "number", "default": 3},
    }


def test_what_the_store_keeps_is_reported():
    said = to_canonical(document(step("a"), version=1, enabled=True, metadata={})).approximations
    assert {text.split("`")[1] for text in said if text.startswith("`")} == {"version", "enabled", "metadata"}


TASK = {"title": "T"}
MISTAKES = [
    (document(act("a", "create_task", title="T", priority="huge")), "$.steps[0].configuration.parameters.priority", "huge"),
    (document(act("a", "create_task", ttle="T", title="x")), "$.steps[0].configuration.parameters.ttle", "title"),
    (document(act("a", "create_tsk", **TASK)), "$.steps[0].configuration.action", "create_tsk"),
    (document(step("a", "acton")), "$.steps[0].type", "action"),
    (document(step("a", "action", "nope")), "$.steps[0].nextSteps[0]", "nope"),
    (document(step("a", "condition", configuration={"condition": "x ="})), "$.steps[0].configuration.condition", "assigns"),
    (document(step("a", "condition", configuration={"condition": "x", "trueSteps": ["no"]})),
     "$.steps[0].configuration.trueSteps[0]", "no"),
    (document(step("a", "condition", configuration={})), "$.steps[0].configuration", "condition"),
    (document(step("a", errorHandling={"retryCount": 99})), "$.steps[0].errorHandling.retryCount", "20"),
    (document(step("a", errorHandling={"retries": 9})), "$.steps[0].errorHandling.retries", "retryCount"),
    (document(step("a"), trigger={"type": "magic"}), "$.trigger", "manual"),
    (document(step("a"), variables=[{"name": "x", "type": "nonsense"}]), "$.variables[0].type", "string"),
    (document(step("a"), variables=[{"type": "string"}]), "$.variables[0]", "name"),
    (document(step("a", nextSteps="b")), "$.steps[0].nextSteps", "list"),
    (document(step("a"), colour="red"), "$.colour", "colour"),
    (document(), "$.steps", "at least one"),
    (document(step("a"), step("a")), "$.steps[1].id", "two nodes"),
    (document(act("a", "create_task", title="{{ 'x' | uper }}")), "$.steps[0].configuration.parameters.title", "upper"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "path", "says"), MISTAKES, ids=[f"{at}-{i}" for i, (_, at, _) in enumerate(MISTAKES)]
)
def test_mistake_is_shown_where_the_author_made_it(written: dict[str, Any], path: str, says: str):
    problems = examine(written, catalogue()).problems
    assert [problem.path for problem in problems if problem.severity == "error"] == [path], problems
    assert any(says in str(problem) for problem in problems)


def test_false_steps_that_name_no_step_are_read_as_nothing_to_do():
    ask = step(
        "ask", "condition", configuration={"condition": "x", "trueSteps": ["a"], "falseSteps": ["other"]}
    )
    converted = to_canonical(document(ask, step("a")))

    found = next(node for node in converted.document["nodes"] if node["id"] == "ask")
    assert [branch.get("then") for branch in found["config"]["conditions"]] == ["a"]
    assert [text for text in converted.approximations if "'other'" in text] == [
        "step 'ask': its falseSteps name 'other', which no step has as its id, so nothing is done then"
    ]


def test_false_steps_that_resemble_a_step_are_a_mistake():
    steps = {"condition": "x", "trueSteps": ["tell_ann"], "falseSteps": ["tell_bem"]}
    written = document(step("ask", "condition", configuration=steps), step("tell_ann"), step("tell_ben"))
    problems = [problem for problem in examine(written, catalogue()).problems if problem.severity == "error"]
    assert [problem.path for problem in problems] == ["$.steps[0].configuration.falseSteps[0]"]
    assert "'tell_ben'" in (problems[0].hint or "")


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [None], {"a": 1}])
@pytest.mark.parametrize(
    "key", ["steps", "trigger", "variables", "errorHandling", "configuration", "nextSteps", "id"]
)
def test_junk_is_answered_with_problems(key: str, junk: Any):
    written = document(step("a"))
    target = written if key in ("steps", "trigger", "variables") else written["steps"][0]
    target[key] = junk
    examination = examine(written, catalogue())
    assert examination.ok or examination.problems
