"""The tables as SQLAlchemy models. The migrations are the source; a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Identity, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all models: text columns are `text`, times carry their zone, dicts and lists are JSONB."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[dict[str, Any]]: JSONB(none_as_null=True),
        list[str]: ARRAY(Text()),
    }


class Tenant(Base):
    """A customer of the installation; everything else belongs to one."""

    __tablename__ = "tenants"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Pipeline(Base):
    """A kind of record: its fields and the stages its records pass."""

    __tablename__ = "pipelines"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    fields: Mapped[list[dict[str, Any]]]
    stages: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Record(Base):
    """A CRM record. `version` counts its changes, for optimistic locking.

    `deleted_with` is the record whose deletion took this one along.
    """

    __tablename__ = "records"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str]
    data: Mapped[dict[str, Any]]
    stage: Mapped[str | None]
    owner: Mapped[str | None]
    external_id: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    deleted_with: Mapped[UUID | None]


class RecordRelation(Base):
    """A record that belongs to another; where it `cascades`, it can be deleted with it."""

    __tablename__ = "record_relations"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID] = mapped_column(primary_key=True)
    child_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    cascades: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RecordHistory(Base):
    """One change of a record, written by the database in the changing transaction.

    `changes` is field to its value before and after, `image` the whole record where it was archived, `actor` who
    made the change or stands behind its execution.
    """

    __tablename__ = "record_history"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    record_id: Mapped[UUID]
    pipeline_id: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    image: Mapped[dict[str, Any] | None]
    actor: Mapped[str | None]
    execution_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RecordEvent(Base):
    """One change of a record, written by the database in the changing transaction."""

    __tablename__ = "record_events"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    pipeline_id: Mapped[str]
    record_id: Mapped[UUID]
    kind: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed: Mapped[list[str]]
    execution_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    handled_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    decisions: Mapped[dict[str, Any] | None]


class InboxEvent(Base):
    """Something that came in or was brought about, other than a change of a record; `key` is its sender's name for it.

    `decisions` is, by trigger, what was decided about it (see `oneo_app.dispatcher.decisions`).
    """

    __tablename__ = "inbox"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, server_default=text("nextval('record_events_id_seq')")
    )
    kind: Mapped[str]
    topic: Mapped[str]
    key: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    record_id: Mapped[UUID | None]
    execution_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    handled_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    decisions: Mapped[dict[str, Any] | None]


class Gathering(Base):
    """Events of one key of one trigger that will start one execution together."""

    __tablename__ = "gatherings"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    event_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    chain: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    opened_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    due_at: Mapped[datetime]


class Timer(Base):
    """A moment that a trigger waits for, for a record or on its own."""

    __tablename__ = "timers"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None]
    due_at: Mapped[datetime]


class Workflow(Base):
    """A workflow's current state.

    `live_version` is the version Airflow has taken up; `render_error` says why it could not take up the newest.
    """

    __tablename__ = "workflows"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")
    live_version: Mapped[int | None]
    render_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WorkflowVersion(Base):
    """One published state of a workflow, never changed; `revision` numbers all of them across the store."""

    __tablename__ = "workflow_versions"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    active: Mapped[bool] = mapped_column(server_default="true")
    # JSON, not JSONB: the document stays as its author wrote it, key order included.
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    definition_hash: Mapped[str]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ActiveTrigger(Base):
    """A trigger node of an active workflow's current version: what the dispatcher matches events against.

    `event_kinds` and `topics` say which events it looks at (`*`: every topic), `policy` which of those that fit may
    start the workflow. Until `all_seen`, records that were there before it are shown to it, up to `seen_until`.
    """

    __tablename__ = "active_triggers"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    version: Mapped[int]
    event_kinds: Mapped[list[str]] = mapped_column(server_default="{}")
    topics: Mapped[list[str]]
    config: Mapped[dict[str, Any]]
    policy: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    seen_until: Mapped[UUID | None]
    all_seen: Mapped[bool] = mapped_column(server_default="true")


class Execution(Base):
    """One run of a workflow. A DAG run of Airflow carries it out; `run_state` is that run's last known state.

    `parent_execution_id` and `parent_node` (with its loop index) say which node of which execution asked for it,
    `depth` how many executions it stands in, `started_by` which person stands behind it. `postponed` says why a
    pending one that was due has not started. `chain` holds the executions that led to it through events, first first.
    """

    __tablename__ = "executions"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow_id: Mapped[str]
    version: Mapped[int]
    status: Mapped[str]
    trigger_node: Mapped[str | None]
    trigger_type: Mapped[str]
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    record_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]]
    output: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[dict[str, Any] | None]
    dag_id: Mapped[str]
    run_id: Mapped[str]
    run_state: Mapped[str | None]
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    parent_execution_id: Mapped[UUID | None]
    parent_node: Mapped[str | None]
    depth: Mapped[int] = mapped_column(server_default="0")
    started_by: Mapped[str | None]
    postponed: Mapped[str | None]
    chain: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")


class ExecutionLog(Base):
    """One attempt of one node."""

    __tablename__ = "execution_log"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    loop_index: Mapped[str] = mapped_column(primary_key=True, server_default="")
    attempt: Mapped[int] = mapped_column(primary_key=True)
    node_type: Mapped[str]
    status: Mapped[str]
    input: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    output: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    context_updates: Mapped[dict[str, Any] | None]
    routes: Mapped[list[str] | None]
    error: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ended_at: Mapped[datetime | None]


class Task(Base):
    """A follow-up for a person, about a record."""

    __tablename__ = "tasks"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None]
    type: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="open")
    priority: Mapped[str]
    assigned_to: Mapped[str | None]
    due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    execution_id: Mapped[UUID | None]
    node_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Notification(Base):
    """One message to one recipient on one channel; a channel's sender takes it from here."""

    __tablename__ = "notifications"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    recipient: Mapped[str]
    title: Mapped[str]
    message: Mapped[str]
    priority: Mapped[str]
    link_url: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="unread")
    execution_id: Mapped[UUID | None]
    node_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MailState(Base):
    """How far a folder of a mailbox was read; `uid_validity` says for how long its numbers count."""

    __tablename__ = "mail_state"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(primary_key=True)
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class MailFile(Base):
    """A file that came with a mail."""

    __tablename__ = "mail_files"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    content_type: Mapped[str]
    content: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
