"""Events become executions: each once, whatever happens to the dispatcher."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack

# `make chaos` asks for more.
LEADS = int(os.environ.get("ONEO_CHAOS_LEADS", "60"))

WATCH = {
    "id": "watch",
    "name": "Watch leads",
    "nodes": [
        {
            "id": "new",
            "type": "trigger_record_created",
            "config": {"pipeline_ids": ["leads"], "field_filters": {"time_on_website": {"$gte": 0}}},
        },
        {
            "id": "mark",
            "type": "update_record",
            "config": {
                "update_fields": {"seen_by": "{{ execution.id }}"},
                "increment_fields": {"touch_count": 1},
            },
        },
    ],
}


def lead_file(path: Path, count: int) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Prospect ID", "Lead Origin", "Total Time Spent on Website"])
        writer.writerows([f"p{number}", "API", number] for number in range(count))
    return path


def dispatcher_pid(stack) -> int | None:
    components = stack.json("status")["components"]
    return next(
        (one["pid"] for one in components if one["name"] == "dispatcher" and one["state"] == "ready"), None
    )


@pytest.mark.timeout(1200)
def test_a_killed_dispatcher_loses_no_event_and_doubles_no_run(
    stack, tenant_id, publish, pipelines, tmp_path
):
    publish(WATCH)
    leads = lead_file(tmp_path / "leads.csv", LEADS)
    importing = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "oneo"),
            "records",
            "import",
            str(leads),
            "-p",
            "leads",
            "-t",
            tenant_id,
        ],
        env=stack.environment,
        stdout=subprocess.DEVNULL,
    )
    killed = 0
    while killed < 3:
        # Wait for it to be at work again before it is killed again.
        before = stack_executions(stack, tenant_id)
        wait_until(
            lambda seen=before: stack_executions(stack, tenant_id) > seen or seen >= LEADS, "work to go on"
        )
        pid = wait_until(lambda: dispatcher_pid(stack), "a dispatcher")
        os.kill(pid, signal.SIGKILL)
        killed += 1
    assert importing.wait(120) == 0

    def all_ended():
        counts = run_counts(stack, tenant_id)
        return counts if sum(counts.values()) == LEADS == counts.get("success", 0) else None

    wait_until(all_ended, f"{LEADS} executions", timeout=900)
    with stack.database.tenant(tenant_id) as session:
        from oneo.store import records

        touched = [
            record.data["touch_count"] for record in records.find(session, "leads", {}, limit=LEADS * 2)
        ]
    assert touched == [1] * LEADS
    with stack.airflow() as airflow:
        total = airflow.get(f"/api/v2/dags/{tenant_id}--watch/dagRuns", params={"limit": 1}).json()[
            "total_entries"
        ]
    assert total == LEADS


def stack_executions(stack, tenant_id) -> int:
    return sum(run_counts(stack, tenant_id).values())


def run_counts(stack, tenant_id) -> dict[str, int]:
    from sqlalchemy import func, select

    from oneo.store.models import Execution

    with stack.database.tenant(tenant_id) as session:
        rows = session.execute(select(Execution.status, func.count()).group_by(Execution.status))
        return {row[0]: row[1] for row in rows}


def test_filters_delay_and_batches(stack, tenant_id, publish, pipelines, tmp_path):
    filtered = {**WATCH, "id": "filtered", "nodes": [dict(node) for node in WATCH["nodes"]]}
    filtered["nodes"][0] = {
        **WATCH["nodes"][0],
        "config": {
            "pipeline_id": "leads",
            "field_filters": {"time_on_website": {"$gte": 3}},
            "delay_seconds": 3,
        },
    }
    batched = {
        "id": "batched",
        "name": "Batched",
        "nodes": [
            {
                "id": "new",
                "type": "trigger_record_created",
                "config": {"pipeline_ids": ["*"], "batch_processing": True},
            },
            {
                "id": "tell",
                "type": "task_notify",
                "config": {
                    "recipients": ["desk@example.com"],
                    "title": "{{ trigger.count }} new",
                    "message": "{{ trigger.records | pluck('prospect_id') | join(',') }}",
                },
            },
        ],
    }
    publish(filtered)
    publish(batched)
    leads = lead_file(tmp_path / "leads.csv", 5)
    stack.oneo("records", "import", str(leads), "-p", "leads", "--tenant", tenant_id)

    def ended():
        runs = stack.json("runs", "list", "--tenant", tenant_id)
        return runs if len(runs) == 3 and all(run["status"] == "success" for run in runs) else None

    runs = wait_until(ended, "three executions")
    assert sorted(run["workflow"] for run in runs) == ["batched", "filtered", "filtered"]
    batch = next(run for run in runs if run["workflow"] == "batched")
    assert batch["nodes"]["tell"]["input"]["title"] == "5 new"
    assert sorted(batch["nodes"]["tell"]["input"]["message"].split(",")) == ["p0", "p1", "p2", "p3", "p4"]
    from datetime import datetime

    for run in runs:
        if run["workflow"] == "filtered":
            waited = datetime.fromisoformat(run["started_at"]) - datetime.fromisoformat(run["created_at"])
            assert waited.total_seconds() >= 2.5
