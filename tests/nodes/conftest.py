"""Fixtures of the node tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oneo.database import Database
from oneo.settings import settings
from oneo_operators.nodes.data.create_record import CreateRecordOperator
from oneo_operators.result import NodeResult
from tests.http.server import RecordingServer
from tests.nodes.bench import Bench


@pytest.fixture
def bench(database: Database, tenant: str) -> Bench:
    """A tenant with empty pipelines `contacts`, `leads` and `deals`."""
    found = Bench(database, tenant)
    for name in ("contacts", "leads", "deals"):
        found.pipeline(name)
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """An HTTP server that workflows may call."""
    with RecordingServer() as running:
        monkeypatch.setenv("ONEO_HTTP_ALLOW", running.authority)
        settings.cache_clear()
        yield running
    settings.cache_clear()


@pytest.fixture
def record_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of records in the CRM."""
    pattern = "https://crm.example.com/{pipeline_id}/{id}"
    monkeypatch.setenv("ONEO_RECORD_URL", pattern)
    settings.cache_clear()
    yield pattern
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any, Any], Any]], None]:
    """Gives create_record another way to work."""

    def set_to(work: Callable[[Any, Any], Any]) -> None:
        async def run(self: Any, config: Any, context: Any) -> NodeResult:
            result = work(config, context)
            return await result if asyncio.iscoroutine(result) else result

        monkeypatch.setattr(CreateRecordOperator, "run", run)

    return set_to
