"""Every control-flow case on real Airflow, with a task per node and with one for all, and without Airflow: the same."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from dag_factory.publish import publish
from oneo.store import executions, pipelines, tenants
from oneo.store.pipelines import PipelineSpec
from oneo_app import runs
from oneo_app.report import execution_report
from oneo_operators.catalogue import catalogue
from tests.control_flow.cases import CASES
from tests.control_flow.writing import Case, trace
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack

WAYS = ("node", "fused", "local")


def written(case: Case, way: str) -> dict[str, Any]:
    document = case.document
    if way == "fused":
        document["settings"] = {**document.get("settings", {}), "granularity": "fused"}
    return document


@pytest.fixture(scope="module")
def reports(stack) -> dict[tuple[str, str], dict[str, Any]]:
    """The report of each case, by its name and how it was run; all of them run side by side."""
    database = stack.database
    tenant_of = {way: f"{way}-{uuid4().hex[:8]}" for way in WAYS}
    with database.system() as session:
        for tenant in tenant_of.values():
            tenants.ensure(session, tenant)
    begun: dict[tuple[str, str], UUID] = {}
    for way, tenant in tenant_of.items():
        with database.tenant(tenant) as session:
            for name in ("contacts", "leads", "deals"):
                pipelines.apply(session, tenant, PipelineSpec(id=name, fields=[]))
        for case in CASES:
            for document in case.others:
                publish(database, tenant, document, catalogue())
            if way != "local":
                publish(database, tenant, written(case, way), catalogue())
    for way in ("node", "fused"):
        for case in CASES:
            asked = runs.enqueue(database, tenant_of[way], case.document["id"], case.data)
            begun[case.name, way] = asked.execution_id
    found = {
        (case.name, "local"): runs.run_here(database, tenant_of["local"], case.document, case.data)
        for case in CASES
    }

    def report_of(way: str, execution_id: UUID) -> dict[str, Any] | None:
        with database.tenant(tenant_of[way]) as session:
            row = executions.get(session, execution_id)
            return execution_report(session, row) if row.status in executions.FINAL else None

    def more() -> bool:
        for place, execution_id in begun.items():
            if place not in found and (report := report_of(place[1], execution_id)) is not None:
                found[place] = report
        return len(found) == len(CASES) * len(WAYS)

    wait_until(more, "all cases to end", timeout=900)
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_ends_as_expected_however_it_is_run(case: Case, reports) -> None:
    traces = {}
    for way in WAYS:
        case.check(reports[case.name, way])
        # As it would be printed, where a tuple is a list.
        traces[way] = json.loads(json.dumps(trace(reports[case.name, way]), default=str))
    assert traces["node"] == traces["local"]
    assert traces["fused"] == traces["local"]
