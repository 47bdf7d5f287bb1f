"""Executions that are due wait their turn, take each other's place, and are started fairly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from dag_factory.publish import publish
from oneo.store import executions, suppressions, tenants, workflows
from oneo.store.models import Execution
from oneo_app.dispatcher import airflow_runs, starting
from oneo_operators.catalogue import catalogue
from tests.dispatcher.airflow_db import AirflowDb, airflow_db
from tests.dispatcher.crm import TELL, Crm

__all__ = ["airflow_db"]


@pytest.fixture
def takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow takes every run."""
    monkeypatch.setattr(airflow_runs, "trigger_dag", lambda **_: None)


takes_every_run = pytest.mark.usefixtures("takes_all")


def watch(crm: Crm, **start: object) -> None:
    crm.watch("trigger_record_updated", settings={"start": start})
    live(crm)


def live(crm: Crm) -> None:
    with crm.database.system() as session:
        for row in (one for one in workflows.awaiting_airflow(session) if one.tenant_id == crm.tenant):
            workflows.mark_live(session, row.tenant_id, row.id, row.version)


def dispatch(crm: Crm) -> list[str]:
    """Start whatever may start; the states of all executions, oldest first."""
    for _ in range(2000):
        if not starting.start_next(crm.database):
            return [row.status for row in crm.started]
    raise AssertionError("the dispatcher never comes to rest")


def finish(crm: Crm, row: Execution) -> None:
    with crm.database.system() as session:
        held = executions.get_for_update(session, crm.tenant, row.id)
        held.started_at = held.created_at
        executions.finish(session, held, "success")


def change(crm: Crm, *records: object) -> None:
    for record in records:
        crm.change(record, turn=uuid4().hex)  # type: ignore[arg-type]
        crm.round()


@takes_every_run
def test_what_overlaps_waits_in_its_order(crm: Crm) -> None:
    watch(crm, overlap="queue")
    ann, ben, eve = crm.add(), crm.add(), crm.add()
    change(crm, ann, ben, eve)
    assert dispatch(crm) == ["running", "pending", "pending"]
    first, second, third = crm.started
    assert second.postponed == f"execution {first.id} comes before it (settings.start.overlap: queue)"
    change(crm, ann)
    finish(crm, first)
    assert dispatch(crm) == ["success", "running", "pending", "pending"]
    finish(crm, second)
    assert dispatch(crm) == ["success", "success", "running", "pending"]
    finish(crm, third)
    assert dispatch(crm)[-1] == "running"


@takes_every_run
def test_what_overlaps_for_a_record_waits_for_that_record_alone(crm: Crm) -> None:
    watch(crm, overlap="queue", overlap_key="record")
    ann, ben = crm.add(), crm.add()
    change(crm, ann, ann, ben)
    assert dispatch(crm) == ["running", "pending", "running"]
    finish(crm, crm.started[0])
    assert dispatch(crm) == ["success", "running", "running"]


def test_the_newest_takes_the_place_of_the_one_before(crm: Crm, airflow_db: AirflowDb) -> None:
    watch(crm, overlap="cancel_previous")
    airflow_db.know(workflows.dag_id(crm.tenant, "watch"))
    ann, ben = crm.add(), crm.add()
    change(crm, ann)
    dispatch(crm)
    change(crm, ben)
    assert dispatch(crm) == ["cancelled", "running"]
    first, second = crm.started
    assert first.error == {
        "type": "Superseded",
        "message": f"execution {second.id} took its place (settings.start.overlap: cancel_previous)",
    }
    assert [airflow_db.run(row.run_id)[0] for row in (first, second)] == ["failed", "queued"]


def test_an_execution_that_waits_is_cancelled_like_one_at_work(crm: Crm, airflow_db: AirflowDb) -> None:
    watch(crm, overlap="cancel_previous", overlap_key="record")
    airflow_db.know(workflows.dag_id(crm.tenant, "watch"))
    ann, ben = crm.add(), crm.add()
    change(crm, ann, ben)
    dispatch(crm)
    waits = crm.started[0]
    airflow_db.set_tasks(waits.run_id, a="deferred")
    with crm.database.system() as session:
        executions.get_for_update(session, crm.tenant, waits.id).status = "waiting"
    change(crm, ann)
    assert dispatch(crm) == ["cancelled", "running", "running"]
    assert airflow_db.run(waits.run_id) == ("failed", {"a": "failed", "b": "skipped", "c": "skipped"})


@takes_every_run
def test_above_the_limit_of_an_hour_a_workflow_waits_and_others_do_not(crm: Crm) -> None:
    crm.watch("trigger_record_updated", "free")
    watch(crm, max_executions_per_hour=1)
    record = crm.add()
    change(crm, record, record)
    dispatch(crm)
    states = {(row.workflow_id, row.status) for row in crm.started}
    assert states == {("free", "running"), ("watch", "running"), ("watch", "pending")}
    waits = next(row for row in crm.started if row.status == "pending")
    assert waits.postponed is not None
    assert "settings.start.max_executions_per_hour of workflow 'watch' is 1" in waits.postponed
    assert waits.run_after - datetime.now(UTC) > timedelta(minutes=50)


def test_who_comes_on_a_list_meanwhile_is_left_alone(crm: Crm) -> None:
    crm.watch("trigger_record_created", delay_seconds=60, settings={"start": {"suppression_lists": ["stop"]}})
    live(crm)
    crm.add(email="ann@example.com")
    crm.round()
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [("email", "ann@example.com")])
    with crm.database.system() as session:
        executions.get_for_update(session, crm.tenant, crm.started[0].id).run_after = datetime.now(UTC)
    assert dispatch(crm) == ["cancelled"]
    assert crm.started[0].error == {
        "type": "Suppressed",
        "message": "its email is on suppression list 'stop' (settings.start.suppression_lists)",
    }


@takes_every_run
def test_a_tenant_with_many_executions_does_not_keep_others_waiting(crm: Crm) -> None:
    watch(crm)
    for _ in range(20):
        change(crm, crm.add())
    other = f"o{uuid4().hex[:12]}"
    with crm.database.system() as session:
        tenants.ensure(session, other)
    theirs = Crm(crm.database, other, crm.index)
    theirs.pipeline("leads")
    nodes = [{"id": "start", "type": "trigger_record_created", "config": {}}, TELL]
    publish(crm.database, other, {"id": "w", "name": "w", "nodes": nodes}, catalogue())
    live(theirs)
    for _ in range(3):
        theirs.add()
    theirs.round()
    served, last = [], ""
    while served.count(other) < 3:
        last = starting.start_next(crm.database, last) or ""
        served.append(last)
    assert served.count(crm.tenant) in (2, 3)


def test_a_policy_that_cannot_be_read_holds_up_its_own_workflow_only(crm: Crm) -> None:
    watch(crm)
    change(crm, crm.add())
    with crm.database.tenant(crm.tenant) as session:
        session.connection().exec_driver_sql('UPDATE active_triggers SET policy = \'{"overlap": "maybe"}\'')
    assert dispatch(crm) == ["pending"]
    assert "settings.start cannot be read" in str(crm.started[0].postponed)
