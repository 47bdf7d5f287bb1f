"""What the store's tests stand on: filled tenants, and databases of their own for migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from oneo.approvals import ApprovalRequest
from oneo.database import Database
from oneo.forms.answers import Taken
from oneo.forms.spec import parse_form
from oneo.store import (
    api_tokens,
    approvals,
    executions,
    form_files,
    form_links,
    forms,
    gatherings,
    holds,
    hook_refusals,
    inbox,
    log,
    mail_files,
    mail_state,
    metrics,
    notifications,
    pipelines,
    records,
    relations,
    rotations,
    source_events,
    sources,
    suppressions,
    tasks,
    tenants,
    timers,
    workflows,
)
from oneo.store.form_links import LinkOptions
from oneo.store.log import NodeKey
from oneo.store.pipelines import PipelineField, PipelineSpec
from oneo.store.workflows import TriggerRow
from oneo.verdicts import Gathers

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def other_tenant(database: Database) -> str:
    """A second tenant."""
    tenant_id = f"o{uuid4().hex[:12]}"
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    return tenant_id


@pytest.fixture
def leads(database: Database, tenant: str) -> str:
    """A pipeline without declared fields."""
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="leads"))
    return "leads"


@pytest.fixture
def publish(database: Database, tenant: str) -> Callable[..., workflows.Published]:
    """Publishes a version of a workflow."""

    def one(workflow_id: str = "welcome", **document: object) -> workflows.Published:
        with database.tenant(tenant) as session:
            return workflows.publish(
                session,
                tenant,
                workflow_id,
                name=workflow_id.title(),
                document={"id": workflow_id, **document},
                definition_hash=uuid4().hex,
                triggers=[TriggerRow("start", "trigger_record_created", {}, ["created"], ["leads"])],
            )

    return one


@pytest.fixture
def enqueue(database: Database, tenant: str) -> Callable[..., object]:
    """Queues an execution of a workflow."""

    def one(workflow_id: str = "welcome", *, version: int = 1, **options: object) -> object:
        with database.tenant(tenant) as session:
            return executions.enqueue(
                session,
                tenant,
                workflow_id,
                version=version,
                trigger_node="start",
                trigger_type="trigger_record_created",
                data={"name": "Anna"},
                dag_id=workflows.dag_id(tenant, workflow_id),
                **options,
            )

    return one


@pytest.fixture
def fill(database: Database) -> Callable[[str], None]:
    """Puts at least one row of a tenant into every table; without a legal hold it can be removed again."""

    def one(tenant_id: str, *, held: bool = True) -> None:
        with database.system() as session:
            tenants.set_setting(session, tenant_id, "max_storage_mb", 1000)
        with database.tenant(tenant_id) as session:
            fields = [PipelineField(id="name", unique=True, indexed=True)]
            pipelines.apply(session, tenant_id, PipelineSpec(id="leads", fields=fields))
            record = records.create(session, tenant_id, "leads", {"name": "Anna"})
            child = records.create(session, tenant_id, "leads", {"name": "Anna's son"})
            relations.relate(session, record, child, "family")
            workflows.publish(
                session,
                tenant_id,
                "welcome",
                name="Welcome",
                document={"id": "welcome"},
                definition_hash="1",
                triggers=[TriggerRow("start", "trigger_manual", {})],
            )
            execution_id = executions.enqueue(
                session,
                tenant_id,
                "welcome",
                version=1,
                trigger_node="start",
                trigger_type="trigger_manual",
                data={},
                dag_id=workflows.dag_id(tenant_id, "welcome"),
            )
            assert execution_id is not None
            log.start_attempt(session, NodeKey(tenant_id, execution_id, "start"), "trigger_manual")
            metrics.push(session, tenant_id, "boiler-7", {"temperature": 20})
            api_tokens.create(session, tenant_id, "shop", ["events"])
            approvals.request(session, tenant_id, ApprovalRequest("Discount?", ["eva"]), key="discount")
            hook_refusals.note(session, tenant_id, "orders", "signature", "it is wrong")
            suppressions.add(session, tenant_id, "unsubscribed", [("email", "anna@example.com")])
            form = parse_form(
                {"id": "contact", "name": "Contact", "schema": {"properties": {"name": {"type": "string"}}}},
                "form",
            )
            forms.apply(session, tenant_id, form)
            form_links.create(session, tenant_id, form, LinkOptions(record_id=record.id), LATER)
            cv = Taken("cv", "cv.txt", "text/plain", b"Anna")
            form_files.keep(session, tenant_id, "contact", uuid4(), cv, record.id)
            event_id = inbox.put(session, tenant_id, "app", "won", {"name": "Anna"}, record_id=record.id)
            assert event_id is not None
            mail_files.keep(
                session, tenant_id, event_id, uuid4(), name="a", content_type="text/plain", content=b"a"
            )
            mail_state.advance(session, tenant_id, "support", "INBOX", 1, 1)
            source_events.keep_rows(session, tenant_id, "leads", {"7": {"id": "7", "data": {"name": "Anna"}}})
            sources.reader(session, tenant_id, "leads")
            sources.begin_effect(session, tenant_id, execution_id, "make")
            about = {"execution_id": execution_id, "node_id": "call", "title": "Call", "priority": "high"}
            tasks.create(
                session,
                tenant_id,
                task_id=uuid4(),
                record_id=record.id,
                type="call",
                description=None,
                assigned_to=None,
                due_at=None,
                remind_at=None,
                **about,
            )
            notifications.create(
                session,
                tenant_id,
                notification_id=uuid4(),
                channel="in_app",
                recipient="anna",
                message="Hello",
                link_url=None,
                **about,
            )
            rotations.whose_turn(session, tenant_id, "calls", ["anna"])
            if held:
                holds.place(session, tenant_id, "tenant", None, reason="lawsuit", set_by="eva")
        with database.system() as session:
            gatherings.add(session, tenant_id, "welcome", "start", 1, Gathers())
            timers.arm(session, tenant_id, "welcome", "start", "anna", LATER, record.id)

    return one


@pytest.fixture
def owner_url(database_url: str) -> Iterator[str]:
    """URL of the owner of an empty database on the run's server."""
    name = f"empty_{uuid4().hex[:8]}"
    url = make_url(database_url)
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(False), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(False)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def as_owner(database_url: str) -> Iterator[psycopg.Connection]:
    """A plain SQL connection of the tables' owner."""
    dsn = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def plain_sql(database_url: str, tenant: str) -> Iterator[psycopg.Connection]:
    """A plain SQL client that knows the application's role and its tenant, and nothing else of us."""
    dsn = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn, options="-c role=oneo_app", autocommit=True) as connection:
        connection.execute("SELECT set_config('oneo.tenant', %s, false)", [tenant])
        yield connection


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a CSV file."""

    def one(content: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return one
