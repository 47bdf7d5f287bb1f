"""No tenant sees or changes another's rows, in any table there is.

What row-level security stands for here: code of ours that forgets a condition, runs on a pooled connection or uses a
wrong tenant's id. What it does not: somebody who can send SQL of their own can also set `oneo.tenant`, or, where the
application logs in as a user that was granted both roles (as the local stack does), `SET ROLE oneo_system`. SQL of
users' making therefore never reaches the database: filters and fields travel as parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from oneo.database import Database

# Holds the schema's version and no tenant's data.
NOT_TENANTS = "alembic_version"


def tables(session: Session) -> dict[str, str]:
    """Every table of the schema, from the catalog, with the column that names the tenant."""
    names = session.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'm', 'v') AND relname <> :other ORDER BY 1"
        ),
        {"other": NOT_TENANTS},
    )
    return {name: "id" if name == "tenants" else "tenant_id" for name in names}


@pytest.fixture
def both(tenant: str, other_tenant: str, fill: Callable[[str], None]) -> tuple[str, str]:
    fill(tenant)
    fill(other_tenant)
    return tenant, other_tenant


def test_every_table_forces_it_and_has_a_policy_for_each_role(database: Database):
    with database.system() as session:
        for table, column in tables(session).items():
            forced = session.execute(
                text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(:t)"),
                {"t": table},
            ).one()
            policies = session.execute(
                text("SELECT roles::text, cmd, qual FROM pg_policies WHERE tablename = :t"), {"t": table}
            ).all()

            assert tuple(forced) == (True, True), table
            assert {(row[0], row[1]) for row in policies} == {("{oneo_app}", "ALL"), ("{oneo_system}", "ALL")}
            assert all(column in row[2] for row in policies if row[0] == "{oneo_app}"), table


def test_neither_role_owns_anything_or_goes_round_it(database: Database):
    with database.system() as session:
        roles = session.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcanlogin,"
                " (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
                " FROM pg_roles r WHERE rolname IN ('oneo_app', 'oneo_system')"
            )
        ).all()

    assert [tuple(row) for row in roles] == [(False, False, False, 0)] * 2


def test_each_tenant_sees_its_own_rows_in_every_table_and_no_others(database: Database, both):
    for mine in both:
        with database.tenant(mine) as session:
            for table, column in tables(session).items():
                owners = set(session.scalars(text(f"SELECT {column} FROM {table}")))
                assert owners == {mine}, f"{table}: fill() must write to it"


@pytest.mark.parametrize("unset", ["RESET oneo.tenant", "SELECT set_config('oneo.tenant', '', true)"])
def test_without_a_tenant_there_are_no_rows(database: Database, both, unset: str):
    with database.tenant(both[0]) as session:
        session.execute(text(unset))
        for table in tables(session):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


def test_a_row_for_another_tenant_is_refused_in_every_table(database: Database, both):
    mine, other = both
    with database.tenant(mine) as session:
        for table, column in tables(session).items():
            copy = (
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(r,"
                f" jsonb_build_object('{column}', CAST(:other AS text)))).* FROM {table} r"
            )
            with pytest.raises(ProgrammingError) as refused, session.begin_nested():
                session.execute(text(copy), {"other": other})
            assert isinstance(refused.value.orig, InsufficientPrivilege), table


def test_no_row_moves_to_another_tenant_in_any_table(database: Database, both):
    mine, other = both
    with database.tenant(mine) as session:
        for table, column in tables(session).items():
            with pytest.raises(ProgrammingError) as refused, session.begin_nested():
                session.execute(text(f"UPDATE {table} SET {column} = :other"), {"other": other})
            assert isinstance(refused.value.orig, InsufficientPrivilege), table


def test_rows_of_another_tenant_are_out_of_reach_of_update_and_delete(database: Database, both):
    mine, other = both
    for verb in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"):
        for table, column in _tables(database).items():
            with database.tenant(mine) as session:
                granted = session.scalar(
                    text("SELECT has_table_privilege(:table, :verb)"),
                    {"table": table, "verb": verb.split()[0]},
                )
                if granted:
                    statement = f"{verb.format(table, column)} WHERE {column} = :other"
                    assert session.execute(text(statement), {"other": other}).rowcount == 0, table


def _tables(database: Database) -> dict[str, str]:
    with database.system() as session:
        return tables(session)


@pytest.mark.parametrize("role", ["oneo_app", "oneo_system"])
@pytest.mark.parametrize(
    "statement", ["UPDATE workflow_versions SET version = 9", "DELETE FROM workflow_versions"]
)
def test_what_was_published_stays_as_it_was(database: Database, both, role: str, statement: str):
    transaction = database.system() if role == "oneo_system" else database.tenant(both[0])
    with pytest.raises(ProgrammingError, match="permission denied"), transaction as session:
        session.execute(text(statement))


@pytest.mark.parametrize("role", ["oneo_app", "oneo_system"])
def test_no_role_empties_or_alters_a_table(database: Database, both, role: str):
    for table in _tables(database):
        for statement in (f"TRUNCATE {table} CASCADE", f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"):
            transaction = database.system() if role == "oneo_system" else database.tenant(both[0])
            with (
                pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
                transaction as session,
            ):
                session.execute(text(statement))


@pytest.mark.parametrize("way_back", ["RESET ROLE", "SET role TO DEFAULT", "RESET ALL", "DISCARD ALL"])
def test_resetting_the_role_leads_back_to_the_same_role(database_url: str, way_back: str):
    dsn = Database(database_url).url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, options="-c role=oneo_app", autocommit=True) as connection:
        connection.execute(way_back)

        assert connection.execute("SELECT current_user").fetchone() == ("oneo_app",)


@pytest.mark.parametrize("statement", ["SET ROLE postgres", "SET SESSION AUTHORIZATION postgres"])
def test_a_session_never_becomes_superuser(database: Database, tenant: str, statement: str):
    with pytest.raises(ProgrammingError, match="permission denied"), database.tenant(tenant) as session:
        session.execute(text(statement))


def test_even_the_owner_sees_no_rows(database: Database, both):
    """`SET ROLE oneo` works where the application logs in as the owner, and leads to less, not to more.

    Forced row-level security without a policy for the owner shows it nothing. It could still lift the security with
    ALTER TABLE, or take the system's role: an installation that wants that closed gives the application a login of
    its own (ONEO_DATABASE_URL) beside the owner's (ONEO_DATABASE_OWNER_URL).
    """
    with database.tenant(both[0]) as session:
        session.execute(text("SELECT set_config('role', session_user::text, true)"))
        assert session.scalar(text("SELECT current_user")) not in ("oneo_app", "oneo_system")
        for table in tables(session):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


def test_the_tenant_does_not_stay_on_a_pooled_connection(database_url: str, both):
    one_connection = Database(database_url, pool_size=1)
    with one_connection.tenant(both[0]) as session:
        first = session.scalar(text("SELECT pg_backend_pid()"))
    with one_connection.engine("oneo_app").connect() as connection:
        second = connection.scalar(text("SELECT pg_backend_pid()"))
        seen = connection.scalar(text("SELECT count(*) FROM records"))
        left = connection.scalar(text("SELECT current_setting('oneo.tenant', true)"))
    one_connection.dispose()

    assert first == second
    assert (seen, left) == (0, "")


def test_after_an_error_nothing_stays_either(database_url: str, both):
    one_connection = Database(database_url, pool_size=1)
    with pytest.raises(ZeroDivisionError), one_connection.tenant(both[0]):
        _ = 1 / 0
    with one_connection.engine("oneo_app").connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM tenants")) == 0
    one_connection.dispose()
