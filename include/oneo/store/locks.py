"""Locks on values: whoever is about to create what must exist once waits for the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.orm import Session

# First half of the lock's key, so that these never meet another use of advisory locks.
_SPACE = 823477


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
