"""Executions, their log, and what they leave for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class Execution(Base):
    """One run of a workflow. A DAG run of Airflow carries it out; `run_state` is that run's last known state.

    `parent_execution_id` and `parent_node` (with its loop index) say which node of which execution asked for it,
    `depth` how many executions it stands in, `started_by` which person stands behind it. `postponed` says why a
    pending one that was due has not started, `held` that it waits for another of its workflow to end. `chain` holds
    the executions that led to it through events, first first. `record_ids` are all records of gathered events;
    `record_id` is then the first one's.
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
    record_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))


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

    One that is scheduled waits until `due_at`; where it reminds of a task, it goes with it. One that goes out is
    `queued`, `sending`, and then `sent`, `failed` or `unknown`: it may have been sent. `problem` says why, `reference`
    is what its channel calls it, `tried_at` is when the last of its `attempts` began.
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
    attempts: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    problem: Mapped[str | None]
