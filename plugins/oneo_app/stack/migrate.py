"""Both databases at their newest schema, at the cost of a query where they are there already."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from oneo.errors import InfrastructureError
from oneo_app.stack import postgres
from oneo_app.stack.databases import DatabaseUrls, needs_embedded
from oneo_app.stack.environ import child_environment
from oneo_app.stack.files import read_json, tail, write_atomically
from oneo_app.stack.layout import Layout


async def migrate_databases(where: Layout, databases: DatabaseUrls, environment: dict[str, str]) -> None:
    """Create what is missing in both databases.

    Args:
        where: The stack's folder.
        databases: Both databases; their server answers.
        environment: The environment of an Airflow command.

    Raises:
        InfrastructureError: A migration failed.
    """
    if needs_embedded():
        await asyncio.to_thread(postgres.create_databases, where)
    await asyncio.gather(
        asyncio.to_thread(_migrate_oneo, databases.oneo_owner),
        _migrate_airflow(where, databases.airflow, environment),
    )


def _migrate_oneo(owner_url: str) -> None:
    from oneo.database import migrate  # noqa: PLC0415

    migrate(owner_url)


async def _migrate_airflow(where: Layout, url: str, environment: dict[str, str]) -> None:
    revision = await asyncio.to_thread(airflow_revision, url)
    done = {"airflow": version("apache-airflow-core"), "revision": revision}
    if revision is not None and read_json(where.migrated_file) == done:
        return  # `airflow db migrate` would take seconds to find out the same
    await run_logged(
        [sys.executable, "-m", "airflow", "db", "migrate"], where.log("airflow-db-migrate"), environment
    )
    done["revision"] = await asyncio.to_thread(airflow_revision, url)
    write_atomically(where.migrated_file, json.dumps(done))


def airflow_revision(url: str) -> str | None:
    """The schema revision that Airflow's database is at; None where it is empty.

    Raises:
        InfrastructureError: The database does not answer.
    """
    return _revision(url)


def oneo_revisions(url: str) -> tuple[str | None, str | None]:
    """The schema revision that our database is at, and the newest.

    Raises:
        InfrastructureError: The database does not answer.
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    from oneo import migrations  # noqa: PLC0415

    return _revision(url), ScriptDirectory(migrations.__path__[0]).get_current_head()


def _revision(url: str) -> str | None:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
            if found is None or found[0] is None:
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    except psycopg.Error as error:
        name = make_url(url).render_as_string(hide_password=True)
        raise InfrastructureError(f"the database {name} does not answer: {error}") from error


async def run_logged(command: list[str], log: Path, environment: dict[str, str]) -> None:
    """Run a command to its end, its output in a log.

    Raises:
        InfrastructureError: It failed; carries the log's last lines.
    """
    with log.open("ab") as stream:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=child_environment(environment),
            start_new_session=True,
        )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code != 0:
        last = "\n".join(tail(log))
        raise InfrastructureError(
            f"`{' '.join(command[1:])}` ended with exit code {code}; {log} ends:\n{last}"
        )
