"""The DAG that Airflow gets: what people see, when it starts, what runs after what."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.examine import plan_of
from dag_factory.render import Edition, render
from oneo_operators.catalogue import catalogue
from tests.factory.documents import chain, clock, edge, graph, node, notify, route

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
NEW = node("new", "trigger_record_created")
BRANCHES = graph(
    [
        route({"if": "trigger.n > 1", "then": "a", "label": "high"}, {"else": "last", "label": "low"}),
        notify("a"),
        notify("last"),
    ],
    [edge("start", "route"), edge("a", "last")],
)


def dag_of(document: Any, version: int = 3, note: str | None = None) -> DAG:
    edition = Edition("acme", version, FIRST, document, note)
    return render(plan_of(document, catalogue()), edition, catalogue())


def round_trip(dag: DAG) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def test_identity_and_tags():
    dag = dag_of(chain(notify(), settings={"tags": ["sales"]}))
    assert dag.dag_id == "acme--w"
    assert dag.dag_display_name == "W"
    assert dag.tags == {"oneo", "tenant:acme", "version:3", "sales"}
    assert dag.is_paused_upon_creation is False
    assert dag.start_date == FIRST


def test_documentation_shows_name_description_version_and_definition():
    document = chain(notify(message="```\n# not a heading\n````"), description="Says hello.")
    shown = dag_of(document).doc_md or ""
    assert shown.startswith("# W\n\nSays hello.\n\n")
    assert "version 3" in shown
    fence, _, body = shown.partition("json\n")
    assert fence.endswith("\n`````")
    assert json.loads(body.removesuffix("\n`````")) == document


def test_a_note_comes_first():
    assert (dag_of(chain(notify()), note="Version 4 is broken.").doc_md or "").startswith(
        "> **Version 4 is broken.**"
    )


def test_every_change_of_the_definition_changes_the_documentation():
    one, two = dag_of(chain(notify(message="a" * 5000))), dag_of(chain(notify(message="a" * 4999 + "b")))
    assert one.doc_md != two.doc_md


def test_variables_become_a_form():
    variables = {
        "limit": {"type": "integer", "default": 5, "minimum": 1, "title": "Limit"},
        "region": {"type": "string", "required": True, "enum": ["eu", "us"]},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "anything": None,
    }
    params = dag_of(chain(notify(), variables=variables)).params
    limit, region, kind = (params.get_param(name) for name in ("limit", "region", "kind"))
    assert (params["limit"], limit.schema) == (5, {"type": "integer", "minimum": 1, "title": "Limit"})
    assert region.schema == {"type": "string", "enum": ["eu", "us"]}
    assert not region.has_value
    assert region.resolve("eu") == "eu"
    assert params["kind"] is None
    assert kind.schema == {"type": ["string", "null"], "enum": ["a", "b", None]}
    assert params["anything"] is None
    with pytest.raises(Exception, match="is not of type 'integer'"):
        limit.resolve("many")


def test_a_required_variable_does_not_keep_events_and_the_clock_from_starting_the_workflow():
    for trigger in (NEW, clock()):
        document = {
            "id": "w",
            "name": "W",
            "nodes": [trigger, notify()],
            "variables": {"who": {"required": True}},
        }
        params = dag_of(document).params
        assert params["who"] is None
        params.validate()


def test_the_clock_is_airflow_s():
    document = {
        "id": "w",
        "name": "W",
        "nodes": [clock("0 9 * * MON", timezone="America/New_York"), notify()],
    }
    dag = dag_of(document)
    assert dag.timetable.expression == "0 9 * * MON"  # type: ignore[attr-defined]
    assert str(dag.timetable.timezone) == "America/New_York" or "America/New_York" in repr(
        dag.timetable.timezone
    )  # type: ignore[attr-defined]
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_without_a_clock_nothing_is_scheduled():
    dag = dag_of(chain(notify(), settings={"max_active_runs": 4, "timeout_minutes": 90}))
    assert (dag.timetable.can_be_scheduled, dag.catchup) == (False, False)
    assert (dag.max_active_runs, dag.dagrun_timeout) == (4, timedelta(minutes=90))


def test_no_task_has_fields_that_airflow_would_render():
    dag = dag_of(json.loads(json.dumps(BRANCHES)))
    assert {task.task_id: tuple(task.template_fields) for task in dag.tasks} == dict.fromkeys(
        dag.task_ids, ()
    )


def test_joins_wait_for_any_way_in_and_gates_hold_the_ways_that_may_not_be_taken():
    dag = dag_of(BRANCHES)
    assert set(dag.task_ids) == {"start", "route", "a", "last", "route.last"}
    assert dag.get_task("last").upstream_task_ids == {"a", "route.last"}
    assert dag.get_task("route").downstream_task_ids == {"a", "route.last"}
    assert dag.get_task("last").trigger_rule == "none_failed_min_one_success"
    assert dag.get_task("a").trigger_rule == "all_success"
    assert dag.get_task("route.last").task_display_name == "→ last (low)"


def test_retries_and_delays_are_airflow_s():
    handling = {"retry_count": 4, "retry_delay": 2500, "retry_backoff": "fixed"}
    task = dag_of(chain({**notify(), "error_handling": handling})).get_task("tell")
    assert (task.retries, task.retry_delay) == (4, timedelta(seconds=2.5))
    assert task.retry_policy.serialize() == {"count": 4, "delay_seconds": 2.5, "exponential": False}


def test_the_only_trigger_needs_no_worker_and_several_do():
    alone = round_trip(dag_of(chain(notify())))
    assert alone.get_task("start").get_serialized_fields is not None
    assert alone.get_task("start")._is_empty
    assert not alone.get_task("tell")._is_empty
    several = round_trip(dag_of(graph([NEW, notify()], [edge("start", "tell"), edge("new", "tell")])))
    assert not several.get_task("start")._is_empty
    assert not several.get_task("new")._is_empty


@pytest.mark.parametrize("name", ["lead", "branches", "clock", "variables"])
def test_serialised_and_back_it_is_the_same_dag(name: str):
    from tests.factory.test_compile import DOCUMENTS

    documents = {
        "lead": DOCUMENTS["lead_qualification"],
        "branches": BRANCHES,
        "clock": DOCUMENTS["schedule"],
        "variables": DOCUMENTS["variables"],
    }
    dag = dag_of(documents[name])
    back = round_trip(dag)
    assert (back.dag_id, back.doc_md, set(back.tags)) == (dag.dag_id, dag.doc_md, set(dag.tags))
    assert {task.task_id: task.downstream_task_ids for task in back.tasks} == {
        task.task_id: task.downstream_task_ids for task in dag.tasks
    }
    assert DagSerialization.to_dict(dag) == DagSerialization.to_dict(dag_of(documents[name]))


def test_a_task_process_makes_its_own_task_only():
    plan = plan_of(BRANCHES, catalogue())
    dag = render(plan, Edition("acme", 1, FIRST, BRANCHES), catalogue(), only="last")
    assert dag.task_ids == ["last"]
    assert dag.get_task("last").trigger_rule == "none_failed_min_one_success"


@pytest.mark.parametrize("granularity", ["node", "fused"])
def test_all_tasks_run_in_the_tenants_pool_once_there_is_one(granularity: str):
    document = {**chain(notify()), "settings": {"granularity": granularity}}
    plan = plan_of(document, catalogue())
    for pool, found in (("oneo-acme", {"oneo-acme"}), (None, {"default_pool"})):
        edition = Edition("acme", 1, datetime(2031, 1, 1, tzinfo=UTC), document, pool=pool)
        assert {task.pool for task in render(plan, edition, catalogue()).tasks} == found
