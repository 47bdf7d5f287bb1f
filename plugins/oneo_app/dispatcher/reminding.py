"""What people were asked or are to be told, when its time has come."""

from __future__ import annotations

from oneo.database import Database
from oneo.store import approvals, notifications

BATCH = 100


def release_due(database: Database) -> int:
    """Hand over the notifications that are due; returns how many there were."""
    with database.system() as session:
        return notifications.release_due(session, BATCH)


def expire_approvals(database: Database) -> int:
    """End the approvals that nobody decided in time; returns how many there were."""
    with database.system() as session:
        return approvals.expire_due(session, BATCH)
