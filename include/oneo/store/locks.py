"""Locks: whoever is about to create what must exist once, or to change several records, waits for the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from oneo.store.models import Record

# First half of the lock's key, so that these never meet another use of advisory locks.
_SPACE = 823477
_TENANTS = 823478


def try_tenants(session: Session, tenant_ids: Iterable[str]) -> set[str]:
    """Of the tenants, those whose events nobody else decides about until the transaction ends; never waits.

    What one decision looks at, say which executions there are, another must not change at the same time.
    """
    keys = {tenant_id: crc32(tenant_id.encode()) - 2**31 for tenant_id in tenant_ids}
    if not keys:
        return set()
    held = session.scalars(
        text(
            "SELECT key FROM unnest(CAST(:keys AS integer[])) AS key"
            " WHERE pg_try_advisory_xact_lock(:space, key)"
        ),
        {"space": _TENANTS, "keys": list(set(keys.values()))},
    ).all()
    return {tenant_id for tenant_id, key in keys.items() if key in held}


def lock_values(
    session: Session, tenant_id: str, pipeline_id: str, values: Iterable[tuple[str, Any]]
) -> None:
    """Hold a lock on each (field, value) of a pipeline until the transaction ends.

    Taken in one order by everyone, so that no two can wait for each other.
    """
    keys = {
        crc32(json.dumps([tenant_id, pipeline_id, name, value], default=str).encode())
        for name, value in values
    }
    if keys:
        # In the order of the list: unnest keeps it.
        session.execute(
            text("SELECT pg_advisory_xact_lock(:space, key) FROM unnest(CAST(:keys AS integer[])) AS key"),
            {"space": _SPACE, "keys": [key - 2**31 for key in sorted(keys)]},
        )


def lock_records(session: Session, record_ids: Iterable[UUID]) -> dict[UUID, Record]:
    """The records by id, held until the transaction ends; those that are deleted by now are left out.

    In order of their ids: of two that lock the same records, one waits for the other.
    """
    query = select(Record).where(Record.id.in_(record_ids)).order_by(Record.id)
    rows = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {row.id: row for row in rows if row.deleted_at is None}
