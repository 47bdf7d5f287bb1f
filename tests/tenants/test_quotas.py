"""Quotas of a tenant: executions above one wait and say why, records above one are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dag_factory.publish import publish
from oneo.database import Database
from oneo.errors import QuotaError
from oneo.importing import ImportOptions, import_file
from oneo.store import executions, limits, records, tenant_settings, tenants, workflows
from oneo_app import runs
from oneo_app.dispatcher import airflow_runs, starting
from oneo_operators.catalogue import catalogue
from tests.nodes.bench import START, Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

DOCUMENT = {
    "id": "hello",
    "name": "Hello",
    "nodes": [START, {"id": "set", "type": "set_variable", "config": {"variables": {"a": 1}}}],
}


@pytest.fixture
def queue(database: Database, tenant: str, store: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], UUID]:
    """Queues an execution of a live workflow; Airflow takes every run."""
    monkeypatch.setattr(airflow_runs, "trigger_dag", lambda **_: None)
    publish(database, tenant, DOCUMENT, catalogue())
    with database.system() as session:
        workflows.mark_live(session, tenant, "hello", 1)
    return lambda: runs.enqueue(database, tenant, "hello", {}).execution_id


def limit(database: Database, tenant: str, **settings: int) -> None:
    with database.system() as session:
        for name, value in settings.items():
            tenants.set_setting(session, tenant, name, value)


def dispatch(database: Database) -> None:
    """As the dispatcher does until nothing is due."""
    for _ in range(200):
        if not starting.start_next(database):
            return
    raise AssertionError("the dispatcher never comes to rest")


def states(database: Database, tenant: str, *ids: UUID) -> list[str]:
    with database.tenant(tenant) as session:
        return [executions.get(session, one).status for one in ids]


def end(database: Database, tenant: str, execution_id: UUID, started: timedelta) -> None:
    """The execution has started that long ago and succeeded."""
    with database.system() as session:
        row = executions.get_for_update(session, tenant, execution_id)
        row.started_at = datetime.now(UTC) - started
        executions.finish(session, row, "success")


def fall_due(database: Database, tenant: str, *ids: UUID) -> None:
    with database.system() as session:
        for one in ids:
            executions.get_for_update(session, tenant, one).run_after = datetime.now(UTC)


def test_executions_above_the_active_ones_wait_and_say_why(
    database: Database, tenant: str, queue: Callable[[], UUID], oneo: Callable[..., Any]
) -> None:
    limit(database, tenant, max_active_executions=2)
    ids = [queue() for _ in range(4)]
    dispatch(database)
    assert states(database, tenant, *ids) == ["running", "running", "pending", "pending"]
    shown = oneo("runs", "show", str(ids[3]), "--tenant", tenant).stdout
    assert f"postponed: max_active_executions of tenant '{tenant}' is 2" in " ".join(shown.split())

    end(database, tenant, ids[0], timedelta(minutes=1))
    fall_due(database, tenant, *ids[2:])
    dispatch(database)

    assert states(database, tenant, *ids) == ["success", "running", "running", "pending"]
    report = json.loads(oneo("runs", "show", str(ids[2]), "--tenant", tenant, "--json").stdout)
    assert report["postponed"] is None


def test_executions_above_those_of_an_hour_wait_for_the_first_to_be_an_hour_ago(
    database: Database, tenant: str, queue: Callable[[], UUID]
) -> None:
    limit(database, tenant, max_executions_per_hour=2)
    ids = [queue() for _ in range(3)]
    dispatch(database)
    assert states(database, tenant, *ids) == ["running", "running", "pending"]

    end(database, tenant, ids[0], timedelta(minutes=50))
    end(database, tenant, ids[1], timedelta(minutes=10))
    fall_due(database, tenant, ids[2])
    dispatch(database)
    with database.tenant(tenant) as session:
        row = executions.get(session, ids[2])
        wait = row.run_after - datetime.now(UTC)
    assert (row.status, timedelta(minutes=9) < wait < timedelta(minutes=11)) == ("pending", True)

    end(database, tenant, ids[0], timedelta(minutes=61))
    fall_due(database, tenant, ids[2])
    dispatch(database)
    assert states(database, tenant, ids[2]) == ["running"]


def test_one_tenants_quota_holds_up_nobody_else(
    database: Database, tenant: str, other_tenant: str, queue: Callable[[], UUID]
) -> None:
    limit(database, tenant, max_active_executions=0)
    publish(database, other_tenant, DOCUMENT, catalogue())
    with database.system() as session:
        workflows.mark_live(session, other_tenant, "hello", 1)
    mine = [queue() for _ in range(30)]
    theirs = runs.enqueue(database, other_tenant, "hello", {}).execution_id
    # All thirty are put off at once.
    assert starting.start_next(database)
    assert starting.start_next(database)
    assert states(database, other_tenant, theirs) == ["running"]
    assert set(states(database, tenant, *mine)) == {"pending"}


def test_a_record_too_many_is_refused_for_good(database: Database, tenant: str, bench: Bench) -> None:
    limit(database, tenant, max_records=2)
    first = bench.record("leads", name="one")
    bench.record("deals", name="two")
    with pytest.raises(QuotaError, match=f"max_records of tenant '{tenant}' is 2"):
        bench.record("leads", name="three")

    ran = bench.node("create_record", {"pipeline_id": "leads", "record_data": {"name": "three"}})
    assert ran.error["type"] == "PermanentNodeError"
    assert f"max_records of tenant '{tenant}' is 2" in ran.message

    with database.tenant(tenant) as session:
        records.delete(session, records.get(session, first, lock=True))
    bench.record("leads", name="three")


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_import_rejects_the_rows_above_the_quota(
    database: Database, tenant: str, bench: Bench, tmp_path: Path, dry_run: bool
) -> None:
    bench.record("leads", name="one", external_id="1")
    file = tmp_path / "people.csv"
    file.write_text("external_id,name\n" + "".join(f"{n},n{n}\n" for n in range(1, 1201)))
    limit(database, tenant, max_records=1002)
    options = ImportOptions(tmp_path / "rejects.csv", events="silent", dry_run=dry_run)
    result = import_file(database, tenant, "leads", file, options)
    # The first is known: who may have no further record may still bring those it has up to date.
    assert (result.created, result.updated, result.rejected) == (1001, 1, 198)
    assert (tmp_path / "rejects.csv").read_text().count("max_records") == 198
    again = import_file(database, tenant, "leads", file, options)
    assert (again.created, again.rejected) == ((1001, 198) if dry_run else (0, 198))


def test_quotas_are_set_by_command(oneo: Callable[..., Any], tenant: str) -> None:
    done = oneo("tenants", "set", tenant, "max_records=10", "max_active_executions=0", "--json")
    assert json.loads(done.stdout)["settings"] == {"max_records": 10, "max_active_executions": 0}
    cleared = oneo("tenants", "set", tenant, "max_records=", "--json")
    assert json.loads(cleared.stdout)["settings"] == {"max_active_executions": 0}


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "٣", "1" * 13])
def test_a_quota_is_a_whole_number(oneo: Callable[..., Any], tenant: str, value: str) -> None:
    done = oneo("tenants", "set", tenant, f"max_records={value}")
    assert (done.exit_code, "a whole number from 0" in done.output) == (1, True)
    assert set(limits.QUOTAS) < set(tenant_settings.NAMES)


def test_events_are_kept_for_at_least_a_day(oneo: Callable[..., Any], tenant: str) -> None:
    done = oneo("tenants", "set", tenant, "event_retention_days=0")
    assert (done.exit_code, "a whole number from 1 to 36,500" in done.output) == (1, True)
    assert oneo("tenants", "set", tenant, "event_retention_days=30").exit_code == 0
    assert "30" in oneo("tenants", "show", tenant).stdout
