"""A real stack in a folder of its own: a busy port, a killed component, a killed supervisor, nothing left behind.

The tests of this file are the chapters of one story: each goes on where the one before has stopped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from oneo_app.stack import state
from oneo_app.stack.api import api_client
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import kill
from tests.stack.stack_fakes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

COMMAND = """
import typer
from oneo_app.commands.stack import register
app = typer.Typer()
register(app)
app()
"""


class Stack:
    """The commands of a stack in its own folder."""

    def __init__(self, home, port):
        self.where = Layout(home)
        self.port = port
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ONEO_", "AIRFLOW_"))
        }
        self.environment |= {"ONEO_HOME": str(home), "ONEO_AIRFLOW_PORT": str(port), "ONEO_PARALLELISM": "2"}

    def __call__(self, *arguments):
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def report(self, command, *arguments):
        done = self(command, *arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def pid(self, name):
        return state.read(self.where).component(name).pid

    def run_a_task(self):
        with api_client(self.where).connect() as client:
            run = client.post("/api/v2/dags/oneo_warmup/dagRuns", json={"logical_date": None}).json()
            path = f"/api/v2/dags/oneo_warmup/dagRuns/{run['dag_run_id']}"
            wait_until(lambda: client.get(path).json()["state"] == "success", "run", 60)
            log = client.get(f"{path}/taskInstances/warm_up/logs/1")
            return log.text


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        made = Stack(tmp_path_factory.mktemp("stack"), busy.getsockname()[1])
        try:
            yield made
        finally:
            made("down")


@pytest.fixture(scope="module")
def first(stack):
    done = stack("up", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_up_returns_when_everything_is_ready_on_a_port_that_is_free(stack, first):
    assert first["ready"] is True
    assert {entry["name"]: entry["state"] for entry in first["components"]} == dict.fromkeys(
        ["postgres", "api-server", "scheduler", "dag-processor", "triggerer", "dispatcher"], "ready"
    )
    assert [step["state"] for step in first["steps"]] == ["done", "done"]
    assert first["ports"]["api"] != stack.port
    assert any(note.startswith(f"port {stack.port} is taken by") for note in first["notes"])
    assert (
        httpx.get(f"{first['ui']}/api/v2/monitor/health", trust_env=False).json()["scheduler"]["status"]
        == "healthy"
    )


def test_a_second_up_says_what_runs(stack, first):
    done = stack("up")
    assert done.returncode == 0
    assert f"already running: supervisor pid {first['supervisor']}, {first['ui']}" in done.stdout
    assert "log in as admin / " in done.stdout


def test_the_log_of_a_task_can_be_read(stack, first):
    assert "Could not read served logs" not in stack.run_a_task()


def test_a_killed_scheduler_is_started_again_and_works(stack, first):
    pid = stack.pid("scheduler")
    workers = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not stack.report("status")["ready"], "noticed")
    wait_until(lambda: stack.report("status")["ready"], "ready again", 60)
    scheduler = next(one for one in stack.report("status")["components"] if one["name"] == "scheduler")
    assert scheduler["restarts"] == 1
    assert scheduler["pid"] != pid
    assert not kill(workers), "the workers of the killed one are gone"
    stack.run_a_task()


def test_a_killed_supervisor_is_cleaned_up_after_by_the_next_up(stack, first):
    orphans = [entry.pid for entry in state.read(stack.where).components]
    os.kill(first["supervisor"], signal.SIGKILL)
    wait_until(lambda: state.running(stack.where) is None, "killed")
    assert len(stack.report("status")["leftovers"]) == 6
    finding = next(one for one in stack.report("doctor") if one["check"] == "leftovers")
    assert finding["verdict"] == "fail"

    again = stack("up", "--detach", "--json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert sum(note.startswith("stopped a leftover") for note in report["notes"]) == 6
    assert not set(orphans) & {entry["pid"] for entry in report["components"]}
    assert not kill(psutil.Process(pid) for pid in orphans if psutil.pid_exists(pid))


def test_doctor_has_no_complaints_about_a_running_stack(stack, first):
    assert [one for one in stack.report("doctor") if one["verdict"] == "fail"] == []


def test_down_leaves_no_process_and_no_lock(stack, first):
    entries = state.read(stack.where).components
    processes = [process for entry in entries for process in entry.identity.family()]
    assert len(processes) > len(entries)
    done = stack("down")
    assert done.returncode == 0, done.stderr
    assert not kill(processes)
    assert not list(stack.where.home.glob("*.lock"))
    assert not stack.where.state_file.exists()
    assert stack.report("status")["ready"] is False
