"""Hand-written DAGs wait for what happens in the CRM and for what people decide, also across a restart."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from oneo.approvals import ApprovalRequest
from oneo.store import approvals, pipelines, records, tenants
from oneo.store.pipelines import PipelineSpec
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

DAG = "/api/v2/dags/example_sensors"
TENANT = "default"


def add_deal(stack: Any, stage: str) -> str:
    with stack.database.tenant(TENANT) as session:
        return str(records.create(session, TENANT, "deals", {"stage": stage}).id)


def test_sensors_wait_in_the_triggerer_and_hand_on_the_event(stack: Any) -> None:
    with stack.database.system() as session:
        tenants.ensure(session, TENANT)
    with stack.database.tenant(TENANT) as session:
        pipelines.apply(session, TENANT, PipelineSpec(id="deals"))
    with stack.airflow() as airflow:
        wait_until(lambda: airflow.get(DAG).status_code == 200, "the DAG to be known")
        run = airflow.post(f"{DAG}/dagRuns", json={"logical_date": None}).json()["dag_run_id"]

        def state(task: str) -> Any:
            return airflow.get(f"{DAG}/dagRuns/{run}/taskInstances/{task}").json()["state"]

        wait_until(lambda: state("won") == "deferred", "the first sensor to wait")
        components = {one["name"]: one["pid"] for one in stack.json("status")["components"]}
        os.kill(components["triggerer"], signal.SIGKILL)
        add_deal(stack, "lost")
        record = add_deal(stack, "won")
        wait_until(lambda: state("won") == "success", "the record to end the wait", timeout=240)
        path = f"{DAG}/dagRuns/{run}/taskInstances/won/xcomEntries/return_value"
        value = airflow.get(path).json()["value"]
        handed_on = json.loads(value) if isinstance(value, str) else value
        assert (handed_on["record_id"], handed_on["event"]) == (record, "created")
        wait_until(lambda: state("signed") == "deferred", "the second sensor to wait", timeout=240)
        stack.oneo("events", "emit", "deal_signed", "--tenant", TENANT)
        wait_until(lambda: state("tell") == "success", "the DAG to end", timeout=240)


def test_an_approval_is_waited_for_in_the_triggerer_and_decided_by_a_person(stack: Any) -> None:
    with stack.database.system() as session:
        tenants.ensure(session, TENANT)
    dag = "/api/v2/dags/example_approval"
    with stack.airflow() as airflow:
        wait_until(lambda: airflow.get(dag).status_code == 200, "the DAG to be known")
        body = {"logical_date": None, "conf": {"customer": "Ann", "percent": 30}}
        run = airflow.post(f"{dag}/dagRuns", json=body).json()["dag_run_id"]

        def state(task: str) -> Any:
            return airflow.get(f"{dag}/dagRuns/{run}/taskInstances/{task}").json()["state"]

        wait_until(lambda: state("ask") == "deferred", "the task to wait", timeout=240)
        (asked,) = stack.json("approvals", "list", "--tenant", TENANT)
        assert (asked["title"], asked["status"]) == ("30 % for Ann?", "pending")
        stack.oneo("approvals", "decide", asked["approval_id"], "approve", "--tenant", TENANT)
        wait_until(lambda: state("tell") == "success", "the DAG to end", timeout=240)
        path = f"{dag}/dagRuns/{run}/taskInstances/ask/xcomEntries/return_value"
        value = airflow.get(path).json()["value"]
        handed_on = json.loads(value) if isinstance(value, str) else value
        assert handed_on == {"decision": "approve", "comment": None, "decided_by": "admin"}
        events = stack.json("events", "list", "--kind", "approval", "--tenant", TENANT)
        assert [one["topic"] for one in events] == ["decided"]


def test_an_approval_that_nobody_decides_is_expired_by_the_dispatcher(stack: Any) -> None:
    with stack.database.system() as session:
        tenants.ensure(session, TENANT)
    wanted = ApprovalRequest("Now?", ["eva"], expires_at=datetime.now(UTC))
    with stack.database.tenant(TENANT) as session:
        approval = approvals.request(session, TENANT, wanted, key="now").id

    def status() -> str:
        return str(stack.json("approvals", "show", str(approval), "--tenant", TENANT)["status"])

    wait_until(lambda: status() == "expired", "the dispatcher to end it")
