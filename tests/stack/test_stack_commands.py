"""`oneo status`, `down` and `doctor` where nothing runs; ports."""

from __future__ import annotations

import json
import os
import socket

import pytest
import typer
from typer.testing import CliRunner

from oneo.settings import settings
from oneo_app.commands.stack import register
from oneo_app.stack import ports, state
from oneo_app.stack.launch import start_detached
from tests.stack.stack_fakes import layout_in


@pytest.fixture
def where(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ONEO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ONEO_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield layout_in(tmp_path / "home")
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def oneo(where):
    app = typer.Typer()
    register(app)

    def run(*arguments):
        return CliRunner().invoke(app, arguments)

    return run


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_status_of_nothing_is_not_an_error(oneo):
    result = oneo("status", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["ready"], report["components"]) == (False, [])
    assert "does not run" in oneo("status").stdout


def test_down_of_nothing_is_not_an_error(oneo, where):
    before = sorted(where.home.iterdir())
    result = oneo("down")
    assert (result.exit_code, result.stdout) == (0, "nothing was running\n")
    assert sorted(where.home.iterdir()) == before


def test_down_creates_nothing(oneo, where, monkeypatch, tmp_path):
    monkeypatch.setenv("ONEO_HOME", str(tmp_path / "other"))
    settings.cache_clear()
    assert oneo("down").exit_code == 0
    assert not (tmp_path / "other").exists()


def test_doctor_names_every_check_with_a_remedy_for_what_is_wrong(oneo, monkeypatch, busy_port):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("ONEO_AIRFLOW_PORT", str(busy_port))
    settings.cache_clear()
    findings = {one["check"]: one for one in json.loads(oneo("doctor", "--json").stdout)}
    assert findings["Python"]["verdict"] == "ok"
    assert findings["Airflow version"]["verdict"] == "ok"
    assert findings["bytecode"]["verdict"] == "warn"
    assert findings["port"]["detail"].startswith(f"{busy_port} is taken by")
    assert all(one["remedy"] for one in findings.values() if one["verdict"] != "ok")


def test_doctor_fails_on_a_database_that_does_not_answer(oneo, monkeypatch):
    monkeypatch.setenv("ONEO_DATABASE_URL", "postgresql+psycopg://nobody:hidden@127.0.0.1:1/oneo")
    monkeypatch.setenv("ONEO_AIRFLOW_DATABASE_URL", "postgresql+psycopg2://nobody:hidden@127.0.0.1:1/airflow")
    settings.cache_clear()
    result = oneo("doctor")
    assert result.exit_code == 1
    assert "does not answer" in result.stdout
    assert "hidden" not in result.stdout


def test_a_busy_port_is_avoided(busy_port):
    assert ports.free_port(busy_port) > busy_port
    assert str(os.getpid()) in ports.holder(busy_port)


def test_a_port_promised_to_another_server_is_avoided(busy_port):
    free = ports.free_port(busy_port)
    assert ports.free_port(free, taken=frozenset({free})) > free


def test_a_supervisor_that_cannot_start_says_why(where, monkeypatch, busy_port):
    from oneo.errors import InfrastructureError

    monkeypatch.setenv("ONEO_AIRFLOW_PORT", "none")
    with pytest.raises(InfrastructureError, match="the supervisor did not start"):
        start_detached(where, lambda _: None)
    assert state.read(where) is None
