"""Every trigger on the running stack: from what happens outside to the finished execution, once each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from oneo.store import executions, pipelines, records
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec
from oneo.store.records import Changes
from tests.e2e.waiting import wait_until
from tests.http_api.senders import SECRET, Sender
from tests.messaging.payloads import LINKEDIN, MAIL, WHATSAPP
from tests.nodes.bench import EXAMPLES

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

STAGES = ["new", "qualified", "proposal", "negotiation", "won"]
FORM = {
    "id": "contact_form",
    "name": "Contact us",
    "settings": {"pipeline_id": "contacts"},
    "schema": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "email": {"type": "string", "format": "email"},
            "phone": {"type": "string", "format": "phone"},
        },
    },
}
# Workflow id to its trigger's type and config: the catalogue's example, as far as it says when to start.
WATCHED: dict[str, tuple[str, dict[str, Any]]] = {
    "created": ("trigger_record_created", {**EXAMPLES["trigger_record_created"], "delay_seconds": 1}),
    "batch": (
        "trigger_record_created",
        {"pipeline_id": "leads", "batch_processing": True, "batch_seconds": 1},
    ),
    "updated": ("trigger_record_updated", {**EXAMPLES["trigger_record_updated"], "debounce_seconds": 1}),
    "field": ("trigger_field_changed", {"pipeline_id": "deals", "field": "amount", "to": 900}),
    "deleted": ("trigger_record_deleted", EXAMPLES["trigger_record_deleted"]),
    "stage": ("trigger_pipeline_stage_changed", EXAMPLES["trigger_pipeline_stage_changed"]),
    "date": ("trigger_date_reached", {"date_field": "contract_expiry", "days_before": 30}),
    "metric": (
        "trigger_condition_met",
        {"conditions": [{"field": "temperature", "operator": "gt", "value": 100}]},
    ),
    "after": (
        "trigger_workflow_completed",
        {**EXAMPLES["trigger_workflow_completed"], "source_workflow_ids": ["told"]},
    ),
    "told": ("trigger_event", {"event": "lead_qualified"}),
    "hook": ("trigger_webhook", {"path": "orders", "secret_key": "{{ secrets.shop }}"}),
    "form": ("trigger_form_submitted", EXAMPLES["trigger_form_submitted"]),
    "mail": ("trigger_email_received", EXAMPLES["trigger_email_received"]),
    "linkedin": ("trigger_linkedin_message", EXAMPLES["trigger_linkedin_message"]),
    "whatsapp": ("trigger_whatsapp_message", EXAMPLES["trigger_whatsapp_message"]),
}


@pytest.fixture
def outside(stack: Any) -> Any:
    """A client of the product's address, without a login."""
    with stack.airflow() as airflow:
        base = str(airflow.base_url).rstrip("/")
    with httpx.Client(base_url=f"{base}/oneo", timeout=30) as client:
        yield client


@pytest.fixture
def watched(stack: Any, tenant_id: str, publish: Callable[..., Any]) -> None:
    """All workflows live, and the secrets they ask for in Airflow."""
    with stack.airflow() as airflow:
        secret = {"key": f"oneo__{tenant_id}__shop", "value": SECRET}
        assert airflow.post("/api/v2/variables", json=secret).is_success
        connection = {
            "connection_id": f"oneo__{tenant_id}__oneo_unipile",
            "conn_type": "http",
            "extra": json.dumps({"webhook_secret": SECRET}),
        }
        assert airflow.post("/api/v2/connections", json=connection).is_success
    seen = {"id": "seen", "type": "set_variable", "config": {"variables": {"seen": True}}}
    for workflow_id, (type_name, config) in WATCHED.items():
        start = {"id": "start", "type": type_name, "config": config}
        publish({"id": workflow_id, "name": workflow_id, "nodes": [start, seen]})
    with stack.database.tenant(tenant_id) as session:
        for name in ("leads", "contacts", "deals"):
            pipelines.apply(session, tenant_id, PipelineSpec(id=name))
        sales = {"id": "sales", "stages": [{"id": stage} for stage in STAGES]}
        pipelines.apply(session, tenant_id, PipelineSpec.model_validate(sales))


def change_records(stack: Any, tenant: str) -> None:
    """What people do in the CRM."""
    expiry = (datetime.now(UTC) + timedelta(days=30) - timedelta(minutes=1)).isoformat()
    with stack.database.tenant(tenant) as session:
        records.create(session, tenant, "leads", {"source": "website", "score": 60})
        deal = records.create(session, tenant, "deals", {"status": "open", "amount": 1})
        sale = records.create(session, tenant, "sales", {"stage": "qualified", "contract_expiry": expiry})
    with stack.database.tenant(tenant) as session:
        records.update(session, session.get_one(Record, (tenant, deal.id)), Changes(set={"amount": 900}))
        records.update(
            session, session.get_one(Record, (tenant, sale.id)), Changes(set={"stage": "proposal"})
        )
    with stack.database.tenant(tenant) as session:
        records.delete(session, session.get_one(Record, (tenant, deal.id)))


def call(stack: Any, tenant: str, outside: httpx.Client, tmp_path: Path) -> None:
    """What other programs and people send."""
    key = stack.json("tokens", "create", "shop", "--scope", "events", "--tenant", tenant)["token"]
    told = {"name": "lead_qualified", "data": {"score": 80}, "key": "k1"}
    for _ in range(2):
        answer = outside.post("/api/v1/events", json=told, headers={"authorization": f"Bearer {key}"})
        assert answer.is_success, answer.text
    assert Sender(outside, tenant).send({"total": 1}).status_code == 202
    form = tmp_path / "form.json"
    form.write_text(json.dumps(FORM))
    stack.oneo("forms", "apply", str(form), "--tenant", tenant)
    url = stack.json("forms", "link", "contact_form", "--tenant", tenant)["url"]
    filled = {"name": "Ann", "email": "ann@example.com", "phone": "+49 30 901820"}
    answer = outside.post(urlsplit(url).path.removeprefix("/oneo"), json=filled)
    assert answer.is_success, answer.text
    for payload in (MAIL, LINKEDIN, WHATSAPP):
        answer = outside.post(f"/unipile/{tenant}", json=payload, headers={"unipile-auth": SECRET})
        assert answer.json()["status"] == "accepted", answer.text
    stack.oneo("metrics", "push", "boiler", "temperature=90", "--tenant", tenant)
    stack.oneo("metrics", "push", "boiler", "temperature=120", "--tenant", tenant)


def test_every_trigger_starts_its_workflow_once(
    stack: Any, tenant_id: str, watched: None, outside: httpx.Client, tmp_path: Path
) -> None:
    change_records(stack, tenant_id)
    call(stack, tenant_id, outside, tmp_path)

    def ended() -> list[tuple[str, str]]:
        with stack.database.tenant(tenant_id) as session:
            rows = executions.recent(session, limit=200)
        return [(row.workflow_id, row.status) for row in rows if row.ended_at is not None]

    def missing() -> set[str]:
        return WATCHED.keys() - {workflow_id for workflow_id, _ in ended()}

    try:
        wait_until(lambda: not missing(), "every workflow to end", timeout=240)
    except AssertionError:
        pytest.fail(f"no execution of {', '.join(sorted(missing()))} has ended")
    assert sorted(ended()) == sorted((workflow_id, "success") for workflow_id in WATCHED)
