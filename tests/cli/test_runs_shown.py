"""`oneo runs`: an execution, what it called, and what it is part of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from dag_factory.publish import publish
from oneo.settings import settings
from oneo_app.cli import app
from tests.nodes.bench import START, Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

CALL = {"id": "call", "type": "sub_workflow", "config": {"workflow_id": "inner"}}
EACH = {"id": "each", "type": "for_each", "config": {"items_source": [1]}}


@pytest.fixture
def ran(bench: Bench, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An execution that calls another in a loop; commands find the store."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", bench.tenant)
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()
    publish(bench.database, bench.tenant, {"id": "inner", "name": "I", "nodes": [START]}, bench.catalogue)
    edges = [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "call", "loop": True},
        {"source": "call", "target": "each", "loop_back": True},
    ]
    yield bench.run({"id": "outer", "name": "O", "nodes": [START, EACH, CALL], "edges": edges})
    monkeypatch.undo()
    settings.cache_clear()


def oneo(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_each_side_names_the_other(ran: dict[str, Any]) -> None:
    [child] = ran["children"]
    outer = oneo("runs", "show", ran["execution"])
    assert f"call[0] called inner version 1  success  {child['execution']}" in outer
    inner = oneo("runs", "show", child["execution"])
    assert f"called by node call[0] of {ran['execution']}" in inner


def test_the_list_says_what_is_part_of_what(ran: dict[str, Any]) -> None:
    listed = {one["workflow"]: one for one in json.loads(oneo("runs", "list", "--json"))}
    assert (listed["inner"]["parent"], listed["inner"]["parent_node"]) == (ran["execution"], "call[0]")
    assert listed["outer"]["parent"] is None
    assert f"{ran['execution']} call[0]" in oneo("runs", "list")
