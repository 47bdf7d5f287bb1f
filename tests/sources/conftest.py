"""A company's own database beside ours, and the same pipeline kept there and in our own store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from oneo.database import Database
from oneo.sql_table.database import close_all
from tests.nodes.bench import Bench
from tests.sources.companies import Companies, OwnCompanies, TableCompanies


@pytest.fixture(scope="session")
def crm_url(database_url: str) -> Iterator[URL]:
    """A second database, of somebody else's application."""
    name = f"crm_{uuid4().hex[:8]}"
    url = make_url(database_url)
    dsn = url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield url.set(database=name)
        close_all()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def crm(crm_url: URL) -> Iterator[psycopg.Connection]:
    """That application's own connection: plain SQL."""
    dsn = crm_url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def bench(database: Database, tenant: str, crm_url: URL) -> Bench:
    """A tenant with a connection to that database."""
    found = Bench(database, tenant)
    found.vault.connect_database("crm", crm_url)
    return found


@pytest.fixture
def table(bench: Bench, crm: psycopg.Connection) -> Iterator[TableCompanies]:
    """Companies in a table of the application's."""
    found = TableCompanies(bench, crm)
    yield found
    found.drop()


@pytest.fixture(params=["own", "table"])
def companies(request: pytest.FixtureRequest, bench: Bench) -> Companies:
    """Companies, in our own store and in a table: whatever is asked of the one is asked of the other."""
    if request.param == "own":
        return OwnCompanies(bench)
    found: TableCompanies = request.getfixturevalue("table")
    found.apply()
    return found


@pytest.fixture
def other(database: Database, crm_url: URL) -> Callable[[], Bench]:
    """A second tenant, with a connection of its own to the same database."""

    def make() -> Bench:
        from oneo.store import tenants

        tenant_id = f"o{uuid4().hex[:12]}"
        with database.system() as session:
            tenants.ensure(session, tenant_id)
        found = Bench(database, tenant_id)
        found.vault.connect_database("crm", crm_url)
        return found

    return make


@pytest.fixture
def as_owner(database_url: str) -> Iterator[psycopg.Connection]:
    """A plain SQL connection of the owner of our own tables."""
    dsn = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection
