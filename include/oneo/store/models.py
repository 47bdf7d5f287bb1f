"""The tables as SQLAlchemy models. The migrations are the source; a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Double, Identity, SmallInteger, Text, func, text
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
    """A customer of the installation; everything else belongs to one.

    `pool` is the Airflow pool its tasks run in, once Airflow has it.
    """

    __tablename__ = "tenants"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    pool: Mapped[str | None]


class LegalHold(Base):
    """Why something must not be erased: a record, what is known of an e-mail address, or all of a tenant."""

    __tablename__ = "legal_holds"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    set_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Pipeline(Base):
    """A kind of record: its fields and the stages its records pass."""

    __tablename__ = "pipelines"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    fields: Mapped[list[dict[str, Any]]]
    stages: Mapped[list[dict[str, Any]]]
    record_schema: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Record(Base):
    """A CRM record. `version` counts its changes, for optimistic locking.

    `deleted_with` is the record whose deletion took this one along, `merged_into` the one that took its place.
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
    merged_into: Mapped[UUID | None]


class RecordKey(Base):
    """What a record that is not deleted may be found by as a contact; written by the database with the record.

    `key` is a field's name, a colon and what may be equal in its values: an address, the end of a number, the
    beginning of a word of a name.
    """

    __tablename__ = "record_keys"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)


class RecordUniqueValue(Base):
    """That a record has a value in a unique field of its pipeline; written by the database."""

    __tablename__ = "record_unique_values"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    value_hash: Mapped[bytes] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]


# Columns of the table, quicker to build a search of than the attributes of the class.
RECORDS = Record.__table__.c


class RecordIndex(Base):
    """A value of a record's indexed field, as it is searched and sorted; written by the database with the record.

    `kind` is 1 for a text (its first 200 characters), 2 for a number, 3 for true and false, 4 for a time.
    """

    __tablename__ = "record_index"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str]
    kind: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[float] = mapped_column(Double)
    text: Mapped[str] = mapped_column(Text(collation="C"))
    created_at: Mapped[datetime]


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
    """One change of a record, written by the database in the changing transaction.

    One that is held (`held_at`) waits for its release before it waits to be handled.
    `replayed_from` is the event that somebody brought about once more with this one.
    """

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
    held_at: Mapped[datetime | None]
    decisions: Mapped[dict[str, Any] | None]
    replayed_from: Mapped[int | None] = mapped_column(BigInteger)


class InboxEvent(Base):
    """Something that came in or was brought about, other than a change of a record; `key` is its sender's name for it.

    `decisions` is, by trigger, what was decided about it (see `oneo_app.dispatcher.deciding`).
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
    """Events of one key of one trigger that will start one execution together, unless something stays `missing`."""

    __tablename__ = "gatherings"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    event_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    chain: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    opened_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    due_at: Mapped[datetime]
    missing: Mapped[list[str]] = mapped_column(server_default="{}")


class Timer(Base):
    """A moment that a trigger waits for, for a record, for a series of metrics or on its own."""

    __tablename__ = "timers"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None]
    due_at: Mapped[datetime]
    series: Mapped[str | None]


class Metric(Base):
    """The latest values of a series of metrics; `measured` is when each was measured."""

    __tablename__ = "metrics"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    measured: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Suppression(Base):
    """Somebody or something on a list of those whom workflows leave alone."""

    __tablename__ = "suppressions"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


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
    pending one that was due has not started, `held` that it waits for another of its workflow to end. `chain` holds
    the executions that led to it through events, first first.
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
    held: Mapped[bool] = mapped_column(server_default="false")
    chain: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    output_object: Mapped[dict[str, Any] | None]


class ExecutionLog(Base):
    """One attempt of one node.

    Where `output_object` or `context_object` refer to the object store, `output` or `context_updates` are but a
    preview; `oneo.store.large` gives the whole.
    """

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
    output_object: Mapped[dict[str, Any] | None]
    context_object: Mapped[dict[str, Any] | None]


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


class Rotation(Base):
    """How many turns people have taken who take turns."""

    __tablename__ = "rotations"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    turns: Mapped[int] = mapped_column(BigInteger)


class Notification(Base):
    """One message to one recipient on one channel; a channel's sender takes it from here.

    One that is scheduled waits until `due_at`; where it reminds of a task, it goes with it.
    """

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
    due_at: Mapped[datetime | None]
    task_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiToken(Base):
    """A key to the API; of its text only the hash is kept."""

    __tablename__ = "api_tokens"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class HookRefusal(Base):
    """How often a hook refused requests for one reason, and when last."""

    __tablename__ = "hook_refusals"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Form(Base):
    """A public form: a JSON Schema of its fields, how they are shown, and what becomes of what is sent."""

    __tablename__ = "forms"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    # JSON, not JSONB: fields are shown in the order in which their author wrote them.
    schema: Mapped[dict[str, Any]] = mapped_column(JSON)
    ui: Mapped[dict[str, Any]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class FormLink(Base):
    """A way to a form, for whoever knows its token, of which only the hash is kept.

    `execution_id` and `node_id` say what made it; a `tracked` one keeps when it was first opened. `used_at` is the
    moment of its first submission.
    """

    __tablename__ = "form_links"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    form_id: Mapped[str]
    hash: Mapped[str]
    state_key: Mapped[bytes]
    record_id: Mapped[UUID | None]
    prefill: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    redirect_url: Mapped[str | None]
    single_use: Mapped[bool]
    tracked: Mapped[bool]
    execution_id: Mapped[UUID | None]
    node_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class FormFile(Base):
    """A file that came with a form."""

    __tablename__ = "form_files"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    form_id: Mapped[str]
    submission_id: Mapped[UUID]
    record_id: Mapped[UUID | None]
    field: Mapped[str]
    name: Mapped[str]
    content_type: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
