"""Workflows, their versions, and what starts them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


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


class Suppression(Base):
    """Somebody or something on a list of those whom workflows leave alone."""

    __tablename__ = "suppressions"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
