"""At busy times, a DAG run of a fused workflow carries several executions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from airflow.exceptions import DagRunAlreadyExists
from airflow.models import DagRun
from sqlalchemy import select

from dag_factory.publish import publish
from oneo.store import dag_runs, executions, tenants, workflows
from oneo.store.models import Execution
from oneo_app import runs
from oneo_app.dispatcher import airflow_runs, starting
from oneo_app.dispatcher.finishing import finish_ended
from oneo_operators.catalogue import catalogue
from tests.dispatcher.crm import TELL, Crm

SLOTS = 4


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs that Airflow takes, which are all."""
    found: list[str] = []
    monkeypatch.setattr(airflow_runs, "trigger_dag", lambda **given: found.append(given["run_id"]))
    return found


@pytest.fixture
def busy(crm: Crm) -> Callable[..., None]:
    """Queue many executions of a workflow with the given settings, where four tasks may run at once."""

    def queue(count: int, **settings: Any) -> None:
        document = {
            "id": "quick",
            "name": "Quick",
            "settings": settings,
            "nodes": [{"id": "start", "type": "trigger_manual"}, TELL],
        }
        version = publish(crm.database, crm.tenant, document, catalogue()).version
        with crm.database.system() as session:
            tenants.set_setting(session, crm.tenant, "pool_slots", SLOTS)
            workflows.mark_live(session, crm.tenant, "quick", version)
        for _ in range(count):
            runs.enqueue(crm.database, crm.tenant, "quick", {})

    return queue


def dispatch(crm: Crm) -> None:
    for _ in range(200):
        if not starting.start_next(crm.database):
            return
    raise AssertionError("the dispatcher never comes to rest")


def carried(crm: Crm) -> list[int]:
    """How many executions each run carries, in the order the runs began."""
    return list(Counter(row.run_id for row in crm.started if row.status == "running").values())


def end(crm: Crm, run_id: str, state: str = "success", *, begun: int | None = None) -> None:
    """Let a run end, after it has begun the first so many of its executions, or all."""
    with crm.database.system() as session:
        rows = session.scalars(
            select(Execution).where(Execution.run_id == run_id).order_by(Execution.created_at)
        )
        for row in list(rows)[:begun]:
            row.started_at = row.created_at
        dag_runs.note_run_state(session, workflows.dag_id(crm.tenant, "quick"), run_id, state)
    while finish_ended(crm.database):
        pass


def test_where_there_is_room_each_execution_has_a_run_of_its_own(crm, busy, begun):
    busy(SLOTS, granularity="fused")
    dispatch(crm)
    assert carried(crm) == [1] * SLOTS
    assert begun == [row.run_id for row in crm.started]


def test_many_executions_share_the_runs_there_may_be_at_once(crm, busy, begun):
    busy(22, granularity="fused")
    dispatch(crm)
    assert len(begun) == SLOTS
    assert carried(crm) == [6, 4, 3, 3]
    # The oldest come first.
    assert [row.status for row in crm.started] == ["running"] * 16 + ["pending"] * 6
    assert {row.postponed for row in crm.started[16:]} == {
        "the workflow has as many runs at work as it may have: it goes along with the next"
    }


def test_what_waits_goes_on_when_a_run_has_ended(crm, busy, begun):
    busy(22, granularity="fused")
    dispatch(crm)
    for run in begun:  # grows meanwhile
        end(crm, run)
        dispatch(crm)
    assert [row.status for row in crm.started] == ["success"] * 22
    assert len(begun) < 22
    assert len(begun) == len(set(begun))


def test_max_active_runs_bounds_the_runs_at_once(crm, busy, begun):
    busy(6, granularity="fused", max_active_runs=1)
    dispatch(crm)
    assert carried(crm) == [6]


@pytest.mark.parametrize(
    "settings",
    [
        {"granularity": "node"},
        {"granularity": "fused", "timeout_minutes": 5},
        {"granularity": "fused", "start": {"overlap": "skip"}},
    ],
    ids=["a task for each node", "timed as a whole", "that knows of overlaps"],
)
def test_a_workflow_that_needs_a_run_for_each_execution_has_one(crm, busy, begun, settings):
    busy(7, **settings)
    for _ in range(20):
        starting.start_next(crm.database)
    assert len(begun) == len(set(begun)) == 7


def test_executions_that_a_run_did_not_come_to_get_another(crm, busy, begun):
    busy(5, granularity="fused", max_active_runs=1)
    dispatch(crm)
    end(crm, begun[0], "failed", begun=2)
    assert [row.status for row in crm.started] == ["failed", "failed", "pending", "pending", "pending"]
    dispatch(crm)
    assert carried(crm) == [3]
    assert begun[1] == executions.run_id_for(crm.started[2].id)


def test_a_run_that_an_earlier_try_made_carries_no_others(crm, busy, monkeypatch):
    def there_already(**_: object) -> None:
        raise DagRunAlreadyExists(DagRun(dag_id="one", run_id="made-before"))

    monkeypatch.setattr(airflow_runs, "trigger_dag", there_already)
    busy(3, granularity="fused", max_active_runs=1)
    starting.start_next(crm.database)
    # Its task may have looked already which executions it has.
    assert [row.status for row in crm.started] == ["running", "pending", "pending"]


def test_a_quota_holds_for_those_that_go_along(crm, busy, begun):
    with crm.database.system() as session:
        tenants.set_setting(session, crm.tenant, "max_active_executions", 2)
    busy(6, granularity="fused", max_active_runs=1)
    dispatch(crm)
    assert carried(crm) == [2]


def test_the_version_that_runs_decides(crm, busy, begun):
    busy(6, granularity="fused", max_active_runs=1)
    busy(0, granularity="node", max_active_runs=1)
    dispatch(crm)
    # Of a run with a task for each node, only one execution would ever be done.
    assert len(begun) == 6


def test_a_definition_that_cannot_be_read_holds_up_nothing(crm, begun):
    with crm.database.tenant(crm.tenant) as session:
        # As if a version of ours had written it that nobody remembers.
        version = workflows.publish(
            session, crm.tenant, "old", name="Old", document={"id": "old"}, definition_hash="x", triggers=[]
        ).version
        for _ in range(2):
            executions.enqueue(
                session,
                crm.tenant,
                "old",
                version=version,
                trigger_node=None,
                trigger_type="trigger_manual",
                data={},
                dag_id=workflows.dag_id(crm.tenant, "old"),
            )
    with crm.database.system() as session:
        workflows.mark_live(session, crm.tenant, "old", version)
    dispatch(crm)
    # Their runs say what is wrong.
    assert carried(crm) == [1, 1]


def test_how_one_of_many_ended_is_not_how_its_run_ended(crm, busy, begun):
    busy(3, granularity="fused", max_active_runs=1)
    dispatch(crm)
    with crm.database.tenant(crm.tenant) as session:
        dag_runs.note_end(session, crm.tenant, crm.started[0].id, "success")
    end(crm, begun[0], "failed")
    assert [row.status for row in crm.started] == ["success", "failed", "failed"]
