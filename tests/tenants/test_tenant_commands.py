"""`oneo tenants create`, `list`, `remove`: a tenant comes, and goes without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from dag_factory.bundle import shard_of
from oneo.database import Database
from oneo.store import executions
from oneo.store.models import Execution


def counts(database: Database, tenant: str) -> dict[str, int]:
    """Rows of a tenant in every table that the database has, whichever these are."""
    with database.system() as session:
        tables = session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND (column_name = 'tenant_id' OR (table_name, column_name) = ('tenants', 'id'))"
            )
        ).all()
        known = set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
        assert {table for table, _ in tables} == known - {"alembic_version"}
        return {
            table: session.scalar(text(f"SELECT count(*) FROM {table} WHERE {column} = :t"), {"t": tenant})
            for table, column in tables
        }


def test_a_created_tenant_is_listed_and_created_once(oneo: Callable[..., Any]) -> None:
    tenant = f"t{uuid4().hex[:12]}"
    assert oneo("tenants", "create", tenant, "--name", "Acme").exit_code == 0
    listed = {one["tenant"]: one["name"] for one in json.loads(oneo("tenants", "list", "--json").stdout)}
    assert listed[tenant] == "Acme"
    assert "Acme" in oneo("tenants", "list").stdout
    again = oneo("tenants", "create", tenant)
    assert (again.exit_code, f"there is a tenant '{tenant}' already" in again.output) == (1, True)


@pytest.mark.parametrize("tenant", ["shared", "Upper", "a--b", "", "a" * 61])
def test_an_id_that_could_collide_is_refused(oneo: Callable[..., Any], tenant: str) -> None:
    assert oneo("tenants", "create", tenant).exit_code == 1


def test_no_table_keeps_a_row_of_a_removed_tenant(
    oneo: Callable[..., Any], database: Database, tenant: str, other_tenant: str, fill: Callable[[str], None]
) -> None:
    fill(tenant, held=False)
    fill(other_tenant)
    before, others = counts(database, tenant), counts(database, other_tenant)
    filled = {name for name, count in before.items() if count}
    assert filled == set(before) - {"legal_holds"}, "fill() must write to every table"

    done = oneo("tenants", "remove", tenant, "--yes", "--json")

    assert json.loads(done.stdout)["removed"] == {**before, "large_results": 0}
    assert set(counts(database, tenant).values()) == {0}
    assert counts(database, other_tenant) == others


def test_the_dags_of_a_removed_tenant_disappear(
    oneo: Callable[..., Any],
    database: Database,
    tenant: str,
    other_tenant: str,
    fill: Callable[[str], None],
    make_bundle: Callable[..., Any],
) -> None:
    fill(tenant, held=False)
    fill(other_tenant)  # has the newest revision: removing the first does not take it away
    bundle = make_bundle()
    bundle.initialize()
    file = bundle.path / f"shard_{shard_of(f'{tenant}--welcome'):02}.py"
    before = file.stat().st_ino
    assert oneo("tenants", "remove", tenant, "--yes").exit_code == 0

    bundle.refresh()

    assert not file.exists() or file.stat().st_ino != before
    again = file.stat().st_ino if file.exists() else None
    bundle.refresh()
    assert (file.stat().st_ino if file.exists() else None) == again


def test_removing_asks_to_be_sure(oneo: Callable[..., Any], database: Database, tenant: str) -> None:
    done = oneo("tenants", "remove", tenant)
    assert (done.exit_code, "add --yes" in done.output) == (1, True)
    assert counts(database, tenant)["tenants"] == 1


def test_removing_what_is_not_there_says_so(oneo: Callable[..., Any]) -> None:
    done = oneo("tenants", "remove", "nobody-here", "--yes")
    assert (done.exit_code, "there is no tenant 'nobody-here'" in done.output) == (1, True)


def test_a_tenant_whose_executions_run_is_removed_by_force_only(
    oneo: Callable[..., Any], database: Database, tenant: str, fill: Callable[[str], None]
) -> None:
    fill(tenant, held=False)
    with database.system() as session:
        [row] = session.query(Execution).filter_by(tenant_id=tenant)
        executions.get_for_update(session, tenant, row.id).status = "running"

    refused = oneo("tenants", "remove", tenant, "--yes")
    assert (refused.exit_code, "1 execution(s)" in refused.output) == (1, True)
    assert counts(database, tenant)["executions"] == 1

    assert oneo("tenants", "remove", tenant, "--yes", "--force").exit_code == 0
    assert set(counts(database, tenant).values()) == {0}


def test_a_removed_tenants_processes_write_nothing_any_more(
    oneo: Callable[..., Any], database: Database, tenant: str
) -> None:
    from sqlalchemy.exc import IntegrityError

    from oneo.store import pipelines
    from oneo.store.pipelines import PipelineSpec

    assert oneo("tenants", "remove", tenant, "--yes").exit_code == 0
    with pytest.raises(IntegrityError), database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="leads"))


def test_a_tenant_on_legal_hold_is_not_removed_even_by_force(
    oneo: Callable[..., Any], database: Database, tenant: str, fill: Callable[..., None]
) -> None:
    fill(tenant)
    done = oneo("tenants", "remove", tenant, "--yes", "--force")
    said = " ".join(done.output.split())
    assert (done.exit_code, f"tenant {tenant} is on legal hold since" in said) == (1, True)
    assert "set by eva: lawsuit" in said
    assert counts(database, tenant)["records"] == 2
    assert oneo("erase", "unhold", "--tenant", tenant).exit_code == 0
    assert oneo("tenants", "remove", tenant, "--yes", "--force").exit_code == 0
