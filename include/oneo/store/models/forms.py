"""Forms, their links, and the files that came through them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


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
