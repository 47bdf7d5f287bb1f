"""What is kept about the tables of tenants' own that hold records of pipelines."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class SourceReader(Base):
    """How far the changes of a pipeline's table were read.

    `taken` names the changes of the last batch, until they are known to be gone from the table of changes. `seen_until`
    is the latest `updated_at` that polling has seen.
    """

    __tablename__ = "source_readers"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[list[str]] = mapped_column(server_default="{}")
    seen_until: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SourceRow(Base):
    """A row of a polled table as it was seen last; `execution_id` is the execution that has written it since."""

    __tablename__ = "source_rows"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    execution_id: Mapped[UUID | None]


class SourceEffect(Base):
    """That a node is about to commit in a database that keeps no account of it; it goes with the node's log row."""

    __tablename__ = "source_effects"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    effect: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
