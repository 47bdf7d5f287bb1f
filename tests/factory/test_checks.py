"""What an author gets wrong is named: where it stands, what it is, what would be right; and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dag_factory.examine import examine
from dag_factory.publish import publish
from oneo.errors import InvalidDefinitionError
from oneo_operators.catalogue import catalogue
from tests.factory.corpus import CLASSES
from tests.factory.documents import START, chain, edge, graph, node, notify
from tests.factory.mistake import Mistake, said

MISTAKES = {f"{name} - {mistake.name}": mistake for name, mistakes in CLASSES.items() for mistake in mistakes}
ERRORS = [mistake for mistake in MISTAKES.values() if mistake.severity == "error"]


def test_corpus_is_large_and_varied_and_each_mistake_has_a_name():
    assert len(MISTAKES) == sum(map(len, CLASSES.values()))
    assert len(MISTAKES) >= 420
    assert len(CLASSES) >= 20
    assert min(map(len, CLASSES.values())) >= 3


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named_with_its_place_and_its_remedy(mistake: Mistake):
    examination = examine(mistake.document, catalogue())

    assert [(problem.severity, problem.node, problem.path) for problem in examination.problems] == [
        (mistake.severity, mistake.node, mistake.path)
    ], [str(problem) for problem in examination.problems]
    text = said(examination.problems[0])
    for words in mistake.says:
        assert words in text
    assert examination.ok == (mistake.severity == "warning")


def test_ten_different_mistakes_are_reported_at_once():
    document = {
        "id": "w",
        "name": "W",
        "variables": {"limit": {"type": "number", "default": "many"}},
        "settings": {"timezone": "Mars/Base", "tags": ["version:9"]},
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            notify("a", tittle="x"),
            {"id": "b", "type": "htp_request"},
            notify("c", message="{{ nodes.zz.x }}"),
            notify("d", message="{{ 'x' | uper }}"),
            notify("d", message="{{ variables.limt }}"),
            notify("lost"),
        ],
        "edges": [
            edge("start", "a"),
            edge("a", "b"),
            edge("b", "c", "high"),
            edge("c", "d"),
            edge("d", "d"),
            edge("d", "dd"),
        ],
    }

    found = {problem.path for problem in examine(document, catalogue()).problems}

    assert found >= {
        "$.variables.limit.default",
        "$.settings.timezone",
        "$.settings.tags[0]",
        "$.nodes[1].config.tittle",
        "$.nodes[2].type",
        "$.nodes[3].config.message",
        "$.nodes[4].config.message",
        "$.nodes[5].id",
        "$.edges[4]",
        "$.edges[5].target",
    }


def test_mistakes_of_form_do_not_hide_the_others():
    document = chain(
        {**notify("a", message="{{ nodes.zz.x }}"), "colour": "red", "position": "left"},
        {**node("b", "htp_request"), "error_handling": {"retry_count": -1, "fallback_node": "nobody"}},
        variables={"limit": {"type": "strin"}},
        settings={"timezone": "Mars/Base", "timeout_minutes": 0, "tags": ["sales", ""]},
        version=3,
    )

    problems = examine(document, catalogue()).problems

    assert {problem.path for problem in problems} == {
        "$.nodes[1].colour",
        "$.nodes[1].position",
        "$.nodes[1].config.message",
        "$.nodes[2].error_handling.retry_count",
        "$.nodes[2].type",
        "$.variables.limit.type",
        "$.settings.timeout_minutes",
        "$.settings.tags[1]",
        "$.settings.timezone",
        "$.version",
    }
    assert len(problems) == 10


@pytest.mark.parametrize(
    "broken",
    [
        {"nodes": [START, 5, notify("a", message="{{ nodes.zz.x }}")]},
        {"edges": [{"source": "start"}]},
        {"settings": 5},
        {"edges": {}},
    ],
)
def test_where_too_little_is_left_only_the_form_is_spoken_of(broken: dict[str, Any]):
    document = {**chain(notify("a", message="{{ nodes.zz.x }}")), **broken}
    examination = examine(document, catalogue())
    assert len(examination.problems) == 1
    assert (examination.ok, examination.workflow) == (False, None)


def test_every_cycle_is_reported():
    document = {
        "name": "W",
        "nodes": [notify(name) for name in "abcd"],
        "edges": [edge("a", "b"), edge("b", "a"), edge("c", "d"), edge("d", "c")],
    }

    assert [problem.path for problem in examine(document, catalogue()).problems] == [
        "$.edges[1]",
        "$.edges[3]",
    ]


def test_publishing_a_mistake_stores_nothing(database):
    from sqlalchemy import func, select

    from oneo.store.models import ActiveTrigger, Tenant, Workflow, WorkflowVersion

    for mistake in ERRORS:
        with pytest.raises(InvalidDefinitionError) as caught:
            publish(database, "never-seen", mistake.document, catalogue())
        assert mistake.path in str(caught.value), mistake.name

    with database.system() as session:
        for model, column in (
            (Workflow, Workflow.tenant_id),
            (WorkflowVersion, WorkflowVersion.tenant_id),
            (ActiveTrigger, ActiveTrigger.tenant_id),
            (Tenant, Tenant.id),
        ):
            count = session.scalar(select(func.count()).select_from(model).where(column == "never-seen"))
            assert count == 0, model.__name__


def test_a_failed_publish_leaves_the_published_version_in_service(database, tenant):
    from oneo.store import workflows

    published = publish(database, tenant, chain(notify()), catalogue())

    with pytest.raises(InvalidDefinitionError):
        publish(database, tenant, chain(notify(tittle="x")), catalogue())

    with database.tenant(tenant) as session:
        workflow = workflows.get(session, "w")
        assert (workflow.version, workflow.active) == (published.version, True)


ACCEPTED = {
    "a template for a number": {
        "type": "find_records",
        "config": {"pipeline_id": "x", "limit": "{{ trigger.n }}"},
    },
    "a template for a choice": {
        "type": "task_notify",
        "config": {**notify()["config"], "priority": "{{ trigger.p }}"},
    },
    "a template for a list": {
        "type": "task_notify",
        "config": {**notify()["config"], "recipients": "{{ trigger.r }}"},
    },
    "a template in a list": {
        "type": "task_notify",
        "config": {**notify()["config"], "channels": ["{{ trigger.c }}"]},
    },
    "a template in numbers": {
        "type": "update_record",
        "config": {"increment_fields": {"n": "{{ trigger.n }}"}},
    },
    "a template for a date": {
        "type": "create_follow_up_task",
        "config": {"title": "x", "due_date": "{{ trigger.d }}"},
    },
    "a template of ten characters": {
        "type": "create_follow_up_task",
        "config": {"title": "x", "due_date": "{{ now   }}"},
    },
    "a template in a filter": {
        "type": "find_records",
        "config": {"pipeline_id": "x", "filters": {"score": {"$gte": "{{ trigger.n }}"}}},
    },
}


ERROR_READ = notify("tell", message="{{ error.message }}")
ERROR_KNOWN = {
    "in a handler": graph([notify("a"), ERROR_READ], [edge("start", "a"), edge("a", "tell", "error")]),
    "after a handler": graph(
        [notify("a"), notify("b"), ERROR_READ],
        [edge("start", "a"), edge("a", "b", "error"), edge("b", "tell")],
    ),
    "in a fallback node": chain({**notify("a"), "error_handling": {"fallback_node": "tell"}}, ERROR_READ),
    "after a failure that is passed over": chain(
        {**notify("a"), "error_handling": {"on_error": "continue"}}, ERROR_READ
    ),
    "in a loop that handles one": graph(
        [notify("a"), node("each", "for_each", items_source=[1]), ERROR_READ],
        [edge("start", "a"), edge("a", "each", "error"), edge("each", "tell", loop=True)],
    ),
    "caught where there is none": chain(notify("tell", message="{{ error.message | default('fine') }}")),
    "as a variable": chain(ERROR_READ, variables={"error": {"message": "x"}}),
}


@pytest.mark.parametrize("name", ERROR_KNOWN)
def test_error_is_known_where_a_failure_may_have_led(name: str):
    assert examine(ERROR_KNOWN[name], catalogue()).problems == []


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_value_that_is_known_at_run_time_is_accepted_at_save(name: str):
    assert examine(chain({"id": "a", **ACCEPTED[name]}), catalogue()).problems == []


def test_a_warning_does_not_keep_a_definition_from_being_published(database, tenant):
    document = {"nodes": [{"id": "start", "type": "trigger_manual"}, notify()]}

    assert publish(database, tenant, document, catalogue()).workflow_id == "untitled_workflow"


def test_problems_read_the_same_whatever_the_order_of_the_document_s_keys():
    for mistake in ERRORS[::7]:
        turned = json.loads(
            json.dumps(mistake.document), object_pairs_hook=lambda pairs: dict(reversed(pairs))
        )
        ours = {str(problem) for problem in examine(mistake.document, catalogue()).problems}
        assert {str(problem) for problem in examine(turned, catalogue()).problems} == ours
