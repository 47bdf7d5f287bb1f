"""The store as the settings name it, and a bundle that reads from it into a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest


@pytest.fixture
def store(database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The store, which every process of this test finds through its settings."""
    from oneo.database import database as of_settings
    from oneo.settings import settings

    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    settings.cache_clear()
    if of_settings.cache_info().currsize:
        # A test before this one has used it: what it holds open is not left to the garbage collector.
        of_settings().dispose()
    of_settings.cache_clear()
    yield of_settings()
    of_settings().dispose()
    settings.cache_clear()
    of_settings.cache_clear()


@pytest.fixture
def bundle_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Airflow keeps the bundles of this test."""
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def make_bundle(store, bundle_home: Path) -> Callable[..., Any]:
    """Makes a bundle as each process of Airflow does: all of them of one name share one folder."""
    from dag_factory.bundle import WorkflowBundle

    name = f"b{uuid4().hex[:8]}"

    def make(version: str | None = None) -> Any:
        return WorkflowBundle(name=name, version=version)

    return make


@pytest.fixture
def publish_to(store, tenant: str) -> Callable[..., Any]:
    """Publishes a definition for the test's tenant."""
    from dag_factory.publish import publish
    from oneo_operators.catalogue import catalogue

    def to(document: Any) -> Any:
        return publish(store, tenant, document, catalogue())

    return to


@pytest.fixture
def publish_broken(store, tenant: str) -> Callable[..., Any]:
    """Stores a version that was fine once: its node type has been uninstalled since."""
    from oneo.store import workflows

    def to(document: dict[str, Any]) -> Any:
        gone = {**document, "nodes": [*document["nodes"], {"id": "gone", "type": "uninstalled_type"}]}
        with store.tenant(tenant) as session:
            return workflows.publish(
                session,
                tenant,
                document["id"],
                name=document["name"],
                document=gone,
                definition_hash="0" * 64,
                triggers=[],
            )

    return to
