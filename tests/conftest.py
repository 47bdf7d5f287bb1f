"""Fixtures shared by all tests: a real PostgreSQL for the run, a tenant of its own for each test, a real stack."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).parent.parent
# Before anything imports Airflow or reads settings: nothing of the developer's own state is touched.
HOME = Path(tempfile.mkdtemp(prefix="oneo-test-"))
for name in [name for name in os.environ if name.startswith(("ONEO_", "AIRFLOW"))]:
    if name != "ONEO_FUZZ_EXAMPLES" and not name.startswith("ONEO_CHAOS_"):
        del os.environ[name]
os.environ["ONEO_HOME"] = str(HOME)
os.environ["AIRFLOW_HOME"] = str(HOME / "airflow")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Tables that commands print are as wide in every process, whichever test came first.
os.environ["COLUMNS"] = "250"


def pytest_sessionfinish() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """URL of a migrated oneo database on a PostgreSQL of this run."""
    from oneo.database import migrate
    from oneo_app.stack import embedded_postgres

    with embedded_postgres(HOME / "db") as urls:
        migrate(urls.oneo_owner)
        yield urls.oneo


@pytest.fixture(scope="session")
def database(database_url: str) -> Iterator[object]:
    """The store."""
    from oneo.database import Database

    found = Database(database_url)
    yield found
    found.dispose()


@pytest.fixture
def tenant(database) -> str:
    """A tenant nobody else uses."""
    from oneo.store import tenants

    tenant_id = f"t{uuid4().hex[:12]}"
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    return tenant_id


@pytest.fixture
def quiet_queue(database) -> None:
    """No event of an earlier test waits any more."""
    from sqlalchemy import text

    with database.system() as session:
        for table in ("record_events", "inbox"):
            session.execute(text(f"UPDATE {table} SET handled_at = now() WHERE handled_at IS NULL"))


class Stack:
    """A running stack of this test run, used through its command line like everyone does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "ONEO_HOME": str(home), "COLUMNS": "200"}

    def oneo(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an `oneo` command against this stack."""
        command = [str(Path(sys.executable).parent / "oneo"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"oneo {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def json(self, *arguments: str, check: bool = True) -> object:
        """What a command prints with --json."""
        import json

        return json.loads(self.oneo(*arguments, "--json", check=check).stdout)

    @property
    def database(self):
        """The stack's store."""
        from oneo.database import Database
        from oneo_app.stack.databases import resolve
        from oneo_app.stack.layout import layout

        if not hasattr(self, "_database"):
            self._database = Database(resolve(layout(self.home)).oneo)
        return self._database

    def airflow(self):
        """A logged-in client of Airflow's REST API."""
        from oneo_app.stack import api_client
        from oneo_app.stack.layout import layout

        return api_client(layout(self.home)).connect()


def _unused_port() -> int:
    """A port of this run's own: runs side by side that begin at once would both find the same one free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL, Airflow and the dispatcher, started once per test run."""
    running = Stack(HOME / "stack")
    running.environment["ONEO_AIRFLOW_PORT"] = str(_unused_port())
    # Test servers on loopback stand in for other systems.
    running.environment["ONEO_HTTP_ALLOW"] = "127.0.0.1"
    # Tests are the proxy before it, too.
    running.environment["ONEO_TRUSTED_PROXIES"] = "127.0.0.1"
    try:
        running.oneo("up", "--detach")
        yield running
    finally:
        if hasattr(running, "_database"):
            running._database.dispose()
        running.oneo("down")
