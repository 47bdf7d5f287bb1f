"""Many executions of a fused workflow at once share DAG runs; each is done once and ends as it would alone."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from sqlalchemy import select

from oneo.store import executions
from oneo.store.models import Execution
from oneo_app import runs
from tests.e2e.processes import caller_of
from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack

MANY = 24


def quick(*nodes: dict[str, object]) -> dict[str, object]:
    """A fused workflow of which one run may be at work at a time."""
    return {
        "id": "quick",
        "name": "Quick",
        "settings": {"granularity": "fused", "max_active_runs": 1},
        "variables": {"number": {"type": "integer", "required": True}},
        "nodes": [{"id": "start", "type": "trigger_manual"}, *nodes],
    }


def queue(stack, tenant_id, count):
    return [
        runs.enqueue(stack.database, tenant_id, "quick", {"number": number}).execution_id
        for number in range(count)
    ]


def ended(stack, tenant_id, ids):
    def look():
        with stack.database.tenant(tenant_id) as session:
            rows = {row.id: row for row in session.scalars(select(Execution))}
        found = [rows[one] for one in ids]
        return found if all(row.status in executions.FINAL for row in found) else None

    return wait_until(look, f"{len(ids)} executions to end", timeout=240)


@pytest.mark.timeout(400)
def test_each_ends_as_it_would_alone(stack, tenant_id, publish, pipelines):
    publish(
        quick(
            {
                "id": "make",
                "type": "create_record",
                "config": {
                    "pipeline_id": "contacts",
                    "record_data": {"name": "Contact {{ 100 / (variables.number - 5) }}"},
                },
            }
        )
    )
    found = ended(stack, tenant_id, queue(stack, tenant_id, MANY))
    assert [row.status for row in found] == ["failed" if number == 5 else "success" for number in range(MANY)]
    failed = stack.json("runs", "show", str(found[5].id), "--tenant", tenant_id)
    assert "division by zero" in failed["error"]["message"]
    assert failed["error"]["node"] == "make"
    assert len({row.output["record_id"] for row in found if row.output}) == MANY - 1
    shared = Counter(row.run_id for row in found)
    assert len(shared) < MANY
    with stack.airflow() as airflow:
        counted = airflow.get(f"/api/v2/dags/{tenant_id}--quick/dagRuns", params={"limit": 1}).json()
    assert counted["total_entries"] == len(shared)


@pytest.mark.timeout(400)
def test_a_killed_task_goes_on_with_those_that_are_left(stack, tenant_id, publish):
    with RecordingServer() as server:
        # The sixth call never ends; after the kill it is made again, and answered.
        answers = [Answer(body="{}")] * 5 + [Answer(body="late", delay=300), Answer(body="{}")]
        server.on("GET", "/call", *answers)
        config = {"url": server.url("/call"), "timeout_seconds": 360}
        publish(quick({"id": "call", "type": "http_request", "config": config}))
        ids = queue(stack, tenant_id, 10)
        server.wait_for(6, timeout=90)
        os.kill(caller_of(server), signal.SIGKILL)
        found = ended(stack, tenant_id, ids)
        calls = len(server.requests)
    assert [row.status for row in found] == ["success"] * 10
    assert calls == 11
