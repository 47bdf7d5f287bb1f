"""What the tests of tenants stand on: filled tenants, other databases, commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from oneo.database import Database, migrate
from oneo_app.cli import app
from tests.factory.conftest import bundle_home, make_bundle, store
from tests.store.conftest import fill, other_tenant, owner_url

__all__ = ["bundle_home", "fill", "make_bundle", "other_tenant", "owner_url", "store"]


@pytest.fixture
def oneo(store: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on the test's store."""
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def unprotected(owner_url: str) -> Iterator[Database]:
    """A store in a database of its own, without row-level security."""
    migrate(owner_url)
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        for name in connection.scalars(text("SELECT relname FROM pg_class WHERE relrowsecurity")).all():
            connection.execute(text(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"))
    engine.dispose()
    found = Database(owner_url)
    yield found
    found.dispose()
