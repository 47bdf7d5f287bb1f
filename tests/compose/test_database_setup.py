"""The containers' databases on a real PostgreSQL: the image's set-up script, then `oneo migrate`."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from tests.compose.compose_files import ROOT

PASSWORDS = {
    "AIRFLOW_DATABASE_PASSWORD": "airflow1",
    "OWNER_DATABASE_PASSWORD": "owner1",
    "APP_DATABASE_PASSWORD": "app1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server as the image leaves it; yields the folder of its socket."""
    from oneo_app.stack import embedded_postgres, postgres
    from oneo_app.stack.layout import layout

    home = tmp_path_factory.mktemp("server")
    with embedded_postgres(home):
        where = layout(home)
        with psycopg.connect(postgres.superuser_dsn(where), autocommit=True) as connection:
            for name in ("oneo", "airflow"):
                connection.execute(f"DROP DATABASE {name}")
                connection.execute(f"DROP ROLE {name}")
        socket = str(postgres.socket_dir(where))
        command = [str(postgres.binary("psql")), "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres"]
        script = str(ROOT / "docker/postgres/init.sql")
        subprocess.run(
            [*command, "-f", script], check=True, env={**os.environ, **PASSWORDS}, capture_output=True
        )
        yield socket


def url(socket: str, user: str, database: str = "oneo") -> str:
    return f"postgresql+psycopg://{user}@/{database}?host={socket}"


def oneo_migrate(owner_url: str, user_url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ONEO_DATABASE_URL": user_url, "ONEO_DATABASE_OWNER_URL": owner_url}
    program = (
        "from typer import Typer; from oneo_app.commands import migrate as m; a = Typer(); m.register(a); a()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_migrations_can_be_repeated_and_services_own_nothing(server):
    for _ in range(2):
        done = oneo_migrate(url(server, "oneo_owner"), url(server, "oneo"))
        assert done.returncode == 0, done.stderr
        assert '"revision"' in done.stdout
    from oneo.database import Database
    from oneo.store import tenants

    database = Database(url(server, "oneo"))
    name = f"t{uuid4().hex[:8]}"
    with database.system() as session:
        tenants.ensure(session, name)
        assert name in {row.id for row in tenants.all_tenants(session)}
    with database.tenant("somebody-else") as session:
        assert tenants.all_tenants(session) == []
    with pytest.raises(ProgrammingError, match="owner"), database.tenant(name) as session:
        session.connection().exec_driver_sql("ALTER TABLE records DISABLE ROW LEVEL SECURITY")
    database.dispose()


def test_users_reach_their_own_database_only(server):
    for user, database in (("airflow", "oneo"), ("oneo", "airflow")):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(f"postgresql://{user}@/{database}?host={server}")


def test_an_owner_who_may_not_migrate_is_told_so(server):
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        connection.execute("CREATE DATABASE others")
    theirs = url(server, "oneo", "others")
    done = oneo_migrate(theirs, theirs)
    assert done.returncode == 1
    assert "ONEO_DATABASE_OWNER_URL" in done.stderr
    assert "Traceback" not in done.stderr
