"""What people are asked to decide about."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class Approval(Base):
    """A question to people, one of whom answers it with one of the options.

    `key` is what its asker calls it; `execution_id` and `node_id` say on whose behalf it is asked. `decided_at` is the
    moment of its end, also where nobody decided.
    """

    __tablename__ = "approvals"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    execution_id: Mapped[UUID | None]
    node_id: Mapped[str | None]
    record_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str]
    assignees: Mapped[list[str]]
    options: Mapped[list[dict[str, Any]]]
    comment_required: Mapped[bool]
    status: Mapped[str] = mapped_column(server_default="pending")
    decision: Mapped[str | None]
    comment: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
