"""`oneo records show`: a record and what happened to it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from oneo.settings import settings
from oneo_app.cli import app
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]


@pytest.fixture
def lead(bench: Bench, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A record; commands find the store."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", bench.tenant)
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()
    yield bench.record("leads", name="Ada [bold]", status="new")
    monkeypatch.undo()
    settings.cache_clear()


def oneo(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def test_a_record_with_its_history(bench: Bench, lead: str) -> None:
    ran = bench.node("update_record", {"update_fields": {"status": "won"}}, {"record_id": lead})
    assert "history" not in json.loads(oneo("records", "show", lead, "--json"))
    shown = oneo("records", "show", lead, "--history")
    assert "Ada [bold]" in shown
    assert "status: new → won" in shown
    assert ran.execution in shown


def test_a_deleted_record_is_shown_as_such(bench: Bench, lead: str) -> None:
    bench.node("delete_record", {"archive_before_delete": True}, {"record_id": lead})
    found = json.loads(oneo("records", "show", lead, "--history", "--json"))
    assert found["record"]["deleted_at"] is not None
    assert found["record"]["archived_at"] is not None
    assert [one["kind"] for one in found["history"]] == ["created", "deleted"]
    assert found["history"][1]["image"]["data"]["status"] == "new"


def test_of_a_removed_record_only_that_is_left(bench: Bench, lead: str) -> None:
    bench.node("delete_record", {"soft_delete": False}, {"record_id": lead})
    shown = oneo("records", "show", lead, "--history")
    assert "removed" in shown
    assert "Ada" not in shown


@pytest.mark.parametrize("record_id", ["nothing", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_record_is_named(lead: str, record_id: str) -> None:
    assert f"there is no record {record_id}" in oneo("records", "show", record_id, "--history", code=1)


def test_a_record_that_was_related_goes_with_its_parent(bench: Bench, lead: str) -> None:
    child = bench.record("deals", name="Renewal")
    told = json.loads(oneo("records", "relate", lead, child, "--kind", "deal", "--json"))
    assert told == {"parent": lead, "child": child, "kind": "deal", "cascades": True}
    ran = bench.node("delete_record", {"record_id": lead, "cascade_delete": True})
    assert ran.output["children"] == 1
    assert bench.get(child) is None
