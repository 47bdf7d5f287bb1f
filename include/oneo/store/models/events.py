"""Events, and what waits for more of them or for its time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


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
    """A moment that a trigger waits for, for a record, for a series of metrics or on its own.

    `execution_id` is the execution that brought it about.
    """

    __tablename__ = "timers"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None]
    due_at: Mapped[datetime]
    series: Mapped[str | None]
    execution_id: Mapped[UUID | None]


class Metric(Base):
    """The latest values of a series of metrics; `measured` is when each was measured."""

    __tablename__ = "metrics"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    measured: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


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
