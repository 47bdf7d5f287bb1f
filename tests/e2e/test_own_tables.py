"""A table of somebody else's application on the running stack: from plain SQL there to a workflow, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from oneo.store import executions
from oneo_app.stack import postgres
from oneo_app.stack.layout import layout
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

WORKFLOW: dict[str, Any] = {
    "id": "greet",
    "name": "Greet",
    "nodes": [
        {"id": "start", "type": "trigger_record_created", "config": {"pipeline_ids": ["clients"]}},
        {"id": "up", "type": "update_record", "config": {"increment_fields": {"greeted": 1}}},
        {
            "id": "more",
            "type": "find_records",
            "config": {"pipeline_id": "clients", "filters": {"name": "{{ record.name }}"}},
        },
    ],
}


@pytest.fixture
def shop(stack: Any, tenant_id: str) -> Iterator[psycopg.Connection]:
    """The application's database, and the tenant's connection to it."""
    name, server = f"shop_{uuid4().hex[:8]}", postgres.superuser_dsn(layout(stack.home))
    url = make_url(stack.database.url).set(database=name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE {name} OWNER "{url.username}"')
    connection = {
        "connection_id": f"oneo__{tenant_id}__shop",
        "conn_type": "postgres",
        "host": url.query.get("host") or url.host,
        "port": url.port,
        "login": url.username,
        "password": url.password,
        "schema": name,
        "extra": json.dumps({"sslmode": "prefer"}),
    }
    with stack.airflow() as airflow:
        made = airflow.post("/api/v2/connections", json=connection)
        assert made.status_code == 201, made.text
    with psycopg.connect(postgres.superuser_dsn(layout(stack.home), name), autocommit=True) as client:
        client.execute(f'SET ROLE "{url.username}"')
        client.execute("CREATE TABLE clients (id serial PRIMARY KEY, full_name text, greetings integer)")
        yield client
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_row_starts_a_workflow_that_changes_it_once(
    stack: Any, tenant_id: str, shop: psycopg.Connection, publish: Callable[..., Any], tmp_path: Path
) -> None:
    source = {
        "connection_id": "shop",
        "table": "clients",
        "fields": {"name": "full_name", "greeted": "greetings"},
        "capture": "trigger",
    }
    file = tmp_path / "clients.json"
    file.write_text(json.dumps({"id": "clients", "source": source}))
    stack.oneo("pipelines", "apply", str(file), "--tenant", tenant_id)
    stack.oneo("pipelines", "connect", "clients", "--tenant", tenant_id)
    publish(WORKFLOW)
    shop.execute("INSERT INTO clients (full_name) VALUES ('Anna'), ('Bert')")
    [taken] = stack.json("records", "capture", "--tenant", tenant_id)
    assert taken == {"pipeline": "clients", "events": 2}

    def ended() -> list[Any]:
        with stack.database.tenant(tenant_id) as session:
            found = executions.recent(session)
        assert "failed" not in [one.status for one in found], [one.error for one in found]
        return found if [one.status for one in found] == ["success"] * 2 else []

    found = wait_until(ended, "two executions", timeout=300)
    assert sorted(one.data["record_id"] for one in found) == ["1", "2"]
    rows = shop.execute("SELECT id, full_name, greetings FROM clients ORDER BY id").fetchall()
    assert rows == [(1, "Anna", 1), (2, "Bert", 1)]
    # What the executions did there is an event of theirs, and starts nothing.
    assert stack.json("records", "capture", "--tenant", tenant_id) == [{"pipeline": "clients", "events": 2}]
    [shown] = [one for one in stack.json("runs", "list", "--tenant", tenant_id) if one["record_id"] == "1"]
    report = stack.json("runs", "show", shown["execution"], "--tenant", tenant_id)
    assert report["nodes"]["more"]["output"]["count"] == 1
