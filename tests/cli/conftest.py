"""Commands in this process, on the test database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from oneo.database import Database
from oneo.settings import settings
from oneo_app.cli import app
from tests.dispatcher.conftest import crm

__all__ = ["crm"]


@pytest.fixture
def command(
    database: Database, database_url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Runs a command for the test's tenant: its JSON, or with `code` what it says."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", tenant)
    monkeypatch.setenv("COLUMNS", "250")
    settings.cache_clear()

    def run(*arguments: str, code: int | None = None) -> Any:
        given = [*arguments] if code is not None else [*arguments, "--json"]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == (code or 0), done.output
        return done.output if code is not None else json.loads(done.stdout)

    yield run
    monkeypatch.undo()
    settings.cache_clear()
