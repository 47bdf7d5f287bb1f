"""Tenants, what keeps their data, and keys to their API."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class Tenant(Base):
    """A customer of the installation; everything else belongs to one.

    `pool` is the Airflow pool its tasks run in, once Airflow has it; `storage` how many bytes of each kind it kept
    when they were last counted.
    """

    __tablename__ = "tenants"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    pool: Mapped[str | None]
    storage: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    storage_measured_at: Mapped[datetime | None]


class StorageWritten(Base):
    """What a tenant with a quota of storage has written since it was last counted; in bytes."""

    __tablename__ = "storage_written"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)


class LegalHold(Base):
    """Why something must not be erased: a record, what is known of an e-mail address, or all of a tenant."""

    __tablename__ = "legal_holds"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    set_by: Mapped[str]
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
