"""Notifications that were scheduled, handed over when they are due."""

from __future__ import annotations

from oneo.database import Database
from oneo.store import notifications

BATCH = 100


def release_due(database: Database) -> int:
    """Hand over the notifications that are due; returns how many there were."""
    with database.system() as session:
        return notifications.release_due(session, BATCH)
