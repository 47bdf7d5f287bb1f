"""Executions: once per event, claimed by one dispatcher, started and ended however often it is tried."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from oneo.database import Database
from oneo.errors import NotFoundError
from oneo.store import dag_runs, execution_queue, executions, log, workflows
from oneo.store.log import NodeKey
from oneo.store.models import Execution, Workflow


@pytest.fixture
def live(database: Database, tenant: str, publish) -> None:
    """A workflow that Airflow runs."""
    publish()
    with database.system() as session:
        workflows.mark_live(session, tenant, "welcome", 1)


@pytest.fixture
def claimed(database: Database, tenant: str):
    def one(limit: int = 1000) -> list[UUID]:
        with database.system() as session:
            return [row.id for row in execution_queue.claim_due(session, limit) if row.tenant_id == tenant]

    return one


def start(database: Database, tenant: str, execution_id: UUID, **options: object) -> executions.Started:
    with database.tenant(tenant) as session:
        return executions.ensure_started(
            session,
            tenant,
            execution_id,
            **{
                "workflow_id": "welcome",
                "version": 1,
                "trigger_node": "start",
                "trigger_type": "trigger_manual",
                "data": {"other": 1},
                "dag_id": workflows.dag_id(tenant, "welcome"),
                "run_id": "manual__1",
                **options,
            },
        )


def shown(database: Database, tenant: str, execution_id: UUID) -> Execution:
    with database.tenant(tenant) as session:
        return executions.get(session, execution_id)


def test_an_event_starts_a_workflow_once(publish, enqueue):
    publish()
    publish("other")

    assert enqueue(event_id=7) is not None
    assert enqueue(event_id=7) is None
    assert enqueue("other", event_id=7) is not None
    assert enqueue(event_id=8) is not None
    assert enqueue() != enqueue()


def test_an_event_starts_a_workflow_once_also_when_two_dispatchers_race(publish, enqueue):
    publish()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: enqueue(event_id=7), range(8)))

    assert sum(one is not None for one in found) == 1


def test_the_oldest_due_executions_are_claimed_first(live, enqueue, claimed):
    now = datetime.now(UTC)
    first, second, third = (enqueue(run_after=now - timedelta(minutes=m)) for m in (5, 9, 7))

    assert claimed() == [second, third, first]
    assert claimed() == [second, third, first]


def test_a_limit_takes_the_oldest(database: Database, tenant: str, live, enqueue):
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    oldest = enqueue(run_after=long_ago)
    enqueue()
    with database.system() as session:
        assert [row.id for row in execution_queue.claim_due(session, 1, tenant[:-1])] == [oldest]
        executions.finish(session, executions.get_for_update(session, tenant, oldest), "cancelled")


def test_what_another_dispatcher_holds_is_passed_over(database: Database, live, enqueue, claimed):
    enqueue()
    with database.system() as session:
        execution_queue.claim_due(session, 1000)
        assert claimed() == []
    assert len(claimed()) == 1


def test_delayed_executions_wait(database: Database, tenant: str, live, enqueue, claimed):
    later = enqueue(run_after=datetime.now(UTC) + timedelta(hours=1))
    due = enqueue()

    assert claimed() == [due]
    with database.system() as session:
        row = executions.get_for_update(session, tenant, due)
        executions.postpone(session, row, 60, "Airflow does not know it yet")
    assert claimed() == []
    with database.system() as session:
        session.execute(update(Execution).where(Execution.id == later).values(run_after=datetime.now(UTC)))
    assert claimed() == [later]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"live_version": None}, 0),
        ({"live_version": 1}, 0),
        ({"live_version": 2}, 1),
        ({"live_version": 3}, 1),
        ({"live_version": 1, "render_error": "broken"}, 1),
        ({"live_version": 1, "active": False}, 1),
    ],
)
def test_a_version_waits_until_airflow_runs_it(
    database: Database, tenant: str, publish, enqueue, claimed, state: dict, expected: int
):
    publish()
    publish()
    enqueue(version=2)
    with database.system() as session:
        session.execute(update(Workflow).where(Workflow.tenant_id == tenant).values(**state))

    assert len(claimed()) == expected


def test_only_pending_executions_are_claimed(database: Database, tenant: str, live, enqueue, claimed):
    for status in ("running", "waiting", "success", "failed", "cancelled"):
        execution_id = enqueue()
        with database.system() as session:
            executions.get_for_update(session, tenant, execution_id).status = status

    assert claimed() == []


def test_a_run_that_airflow_started_gets_one_execution_however_often_it_asks(
    database: Database, tenant: str, live
):
    execution_id = executions.id_for_run("dag", "manual__1")
    first, is_first, was_open = start(database, tenant, execution_id)
    again, is_first_again, goes_on = start(database, tenant, execution_id, data={"changed": True})

    assert (is_first, is_first_again) == (True, False)
    assert (was_open, goes_on) == (False, True)
    assert first.id == again.id == executions.id_for_run("dag", "manual__1")
    assert first.id != executions.id_for_run("dag", "manual__2")
    assert (again.status, again.data, again.started_at) == ("running", {"other": 1}, first.started_at)


def test_a_queued_execution_keeps_its_data_and_takes_the_version_that_runs(database, tenant, live, enqueue):
    execution_id = enqueue()
    row, first, _ = start(database, tenant, execution_id, version=3, data={})

    assert first
    assert (row.status, row.version, row.data, row.trigger_type) == (
        "running",
        3,
        {"name": "Anna"},
        "trigger_record_created",
    )
    assert row.run_id == executions.run_id_for(execution_id)


def test_a_run_cannot_claim_an_execution_that_was_queued_for_another(database, tenant, live, enqueue):
    execution_id = enqueue()
    for claimed, run in ((execution_id, "manual__1"), (uuid4(), "manual__2")):
        with pytest.raises(NotFoundError, match="was queued for run"):
            start(database, tenant, claimed, run_id=run, queued=True)
    row, first, _ = start(
        database, tenant, execution_id, run_id=executions.run_id_for(execution_id), queued=True
    )
    assert (row.id, first) == (execution_id, True)


def test_a_run_that_is_cleared_in_airflow_runs_again(database: Database, tenant: str, live, enqueue):
    execution_id = enqueue()
    first = start(database, tenant, execution_id).row.started_at
    with database.system() as session:
        row = executions.get_for_update(session, tenant, execution_id)
        executions.finish(session, row, "failed", error={"message": "boom"})
    again, is_first, goes_on = start(database, tenant, execution_id)

    assert (again.status, again.error, again.ended_at, is_first) == ("running", None, None, False)
    assert again.started_at == first
    # What failed for good is tried once more.
    assert not goes_on


def test_two_tasks_that_begin_at_once_share_one_row(database: Database, tenant: str, live):
    execution_id = uuid4()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: start(database, tenant, execution_id), range(4)))

    assert sorted(one.first for one in found) == [False, False, False, True]
    assert {one.row.id for one in found} == {execution_id}


def test_an_execution_waits_where_a_node_does_and_none_is_at_work(database: Database, tenant: str, live):
    execution_id = uuid4()
    start(database, tenant, execution_id)
    waits, works = (NodeKey(tenant, execution_id, name) for name in ("waits", "works"))

    def status() -> str:
        with database.tenant(tenant) as session:
            executions.note_rest(session, tenant, execution_id)
        return shown(database, tenant, execution_id).status

    assert status() == "running"
    with database.tenant(tenant) as session:
        for key in (waits, works):
            log.start_attempt(session, key, "wait_delay")
        log.rest(session, waits, 1, {"days": 1}, datetime.now(UTC))
    assert status() == "running"
    with database.tenant(tenant) as session:
        log.end_attempt(session, works, 1, "success")
    assert status() == "waiting"
    assert start(database, tenant, execution_id).is_open
    assert shown(database, tenant, execution_id).status == "running"


def test_an_end_is_kept_with_output_and_error(database: Database, tenant: str, live, enqueue):
    execution_id = enqueue()
    with database.system() as session:
        row = executions.get_for_update(session, tenant, execution_id)
        executions.finish(session, row, "failed", output={"a": [1]}, error={"message": "boom"})
    row = shown(database, tenant, execution_id)

    assert (row.status, row.output, row.error) == ("failed", {"a": [1]}, {"message": "boom"})
    assert row.ended_at >= row.created_at


def test_a_lock_sees_what_others_wrote_since_the_row_was_first_read(database, tenant, live, enqueue):
    execution_id = enqueue()
    with database.system() as session:
        seen = session.get(Execution, (tenant, execution_id))
        with database.system() as other:
            executions.get_for_update(other, tenant, execution_id).status = "cancelled"
        assert seen.status == "pending"
        assert executions.get_for_update(session, tenant, execution_id).status == "cancelled"


def test_the_end_of_a_run_is_noted_on_all_it_carries_and_is_still_open(database, tenant, live, enqueue):
    dag_id = workflows.dag_id(tenant, "welcome")
    open_one, ended = start(database, tenant, uuid4())[0].id, start(database, tenant, uuid4())[0].id
    other = start(database, tenant, uuid4(), run_id="manual__2")[0].id
    with database.system() as session:
        executions.finish(session, executions.get_for_update(session, tenant, ended), "success")
        assert dag_runs.note_run_state(session, dag_id, "manual__1", "failed") == 1
        found = [row.id for row in dag_runs.claim_ended(session, 1000) if row.tenant_id == tenant]
        with database.system() as second:
            held = [row.id for row in dag_runs.claim_ended(second, 1000) if row.tenant_id == tenant]

    assert (found, held) == ([open_one], [])
    assert shown(database, tenant, other).run_state is None


def test_runs_that_are_open_for_long_are_looked_after(database: Database, tenant: str, live):
    dag_id = workflows.dag_id(tenant, "welcome")
    for run_id in ("old", "local__old", "ended", "new"):
        row = start(database, tenant, uuid4(), run_id=run_id)[0]
        with database.system() as session:
            found = executions.get_for_update(session, tenant, row.id)
            found.started_at = datetime.now(UTC) - timedelta(minutes=5 if run_id != "new" else 0)
            found.run_state = "success" if run_id == "ended" else None
    with database.system() as session:
        runs = [one for one in dag_runs.open_runs(session, 60) if one[0] == dag_id]

    assert runs == [(dag_id, "old")]


def test_the_newest_are_listed_first_and_can_be_narrowed(database: Database, tenant: str, publish, enqueue):
    publish()
    publish("other")
    first, second, third = enqueue(), enqueue("other"), enqueue()
    with database.system() as session:
        executions.finish(session, executions.get_for_update(session, tenant, first), "success")
    with database.tenant(tenant) as session:
        assert [row.id for row in executions.recent(session)] == [third, second, first]
        assert [row.id for row in executions.recent(session, limit=1)] == [third]
        assert [row.id for row in executions.recent(session, workflow_id="other")] == [second]
        assert [row.id for row in executions.recent(session, status="success")] == [first]


def test_another_tenants_execution_is_not_there(database: Database, other_tenant: str, live, enqueue):
    with database.tenant(other_tenant) as session, pytest.raises(NotFoundError):
        executions.get(session, enqueue())
