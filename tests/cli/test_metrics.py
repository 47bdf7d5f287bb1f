"""`oneo metrics push`: values from the command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from oneo.database import Database
from oneo.settings import settings
from oneo.store.models import Metric
from oneo_app.cli import app


@pytest.fixture(autouse=True)
def store(database_url: str, tenant: str, monkeypatch: pytest.MonkeyPatch):
    """Commands find the store."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", tenant)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def push(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["metrics", "push", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_numbers_and_texts(database: Database, tenant: str):
    shown = json.loads(push("boiler-7", "temperature=101.5", "door=open", "on=true", "note=a=b", "--json"))
    wanted = {"temperature": 101.5, "door": "open", "on": True, "note": "a=b"}
    with database.tenant(tenant) as session:
        assert session.get_one(Metric, (tenant, "boiler-7")).data == wanted
    assert shown["values"] == wanted
    assert shown["event_id"] > 0


def test_older_values_are_said_to_be_old():
    push("boiler-7", "temperature=20")
    assert "newer values are there already" in push(
        "boiler-7", "temperature=19", "--at", "2020-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["boiler-7", "temperature"], "no value stands in 'temperature'"),
        (["boiler-7", "a=1", "--at", "noon"], "'noon' is no time"),
        (["boiler 7", "a=1"], "'boiler 7' is no name of a series"),
    ],
)
def test_what_cannot_be_pushed(arguments: list[str], message: str):
    assert message in push(*arguments, code=1)
