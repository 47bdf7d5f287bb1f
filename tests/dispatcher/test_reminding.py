"""Reminders come when they are due, and only while there is something left to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from oneo.database import Database
from oneo.store import notifications
from oneo.store.models import Task
from oneo_app.dispatcher.reminding import release_due
from tests.nodes.bench import Bench, Ran
from tests.nodes.conftest import bench

__all__ = ["bench"]


def remind(bench: Bench, minutes: int, **more: Any) -> Ran:
    """A call of Eva's of which she is reminded in that many minutes."""
    due = datetime.now(UTC) + timedelta(minutes=minutes + 10)
    config = {
        "title": "Call",
        "due_date": due.isoformat(),
        "assigned_to": "eva",
        "reminder_before_minutes": 10,
    }
    return bench.node("create_follow_up_task", {**config, **more})


def status(bench: Bench, ran: Ran) -> str:
    [note] = bench.notifications_of(ran.execution)
    return str(note.status)


@pytest.mark.parametrize(("channel", "then"), [("in_app", "unread"), ("email", "queued")])
def test_a_reminder_comes_when_it_is_due(bench: Bench, channel: str, then: str) -> None:
    due, later = (remind(bench, minutes, reminder_channel=channel) for minutes in (-1, 5))
    assert (status(bench, due), status(bench, later)) == ("scheduled", "scheduled")
    assert release_due(bench.database) == 1
    assert (status(bench, due), status(bench, later)) == (then, "scheduled")
    assert release_due(bench.database) == 0


@pytest.mark.parametrize("over", ["done", "cancelled"])
def test_of_a_task_that_is_over_nobody_is_reminded(bench: Bench, over: str) -> None:
    ran = remind(bench, -1)
    with bench.database.tenant(bench.tenant) as session:
        session.execute(update(Task).values(status=over))
    release_due(bench.database)
    assert status(bench, ran) == "cancelled"


def test_a_reminder_goes_with_its_task(bench: Bench) -> None:
    deal = bench.record("deals")
    ran = remind(bench, -1, related_record=deal)
    bench.node("delete_record", {"record_id": deal, "soft_delete": False})
    assert bench.notifications_of(ran.execution) == []
    assert release_due(bench.database) == 0


def test_dispatchers_side_by_side_share_what_is_due(bench: Bench) -> None:
    for _ in range(3):
        remind(bench, -1)
    with bench.database.system() as one, bench.database.system() as other:
        assert (notifications.release_due(one, 2), notifications.release_due(other, 2)) == (2, 1)


def test_what_is_due_is_read_from_its_index(database: Database) -> None:
    with database.system() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.scalars(
            text("EXPLAIN SELECT * FROM notifications WHERE status = 'scheduled' AND due_at <= now()")
        ).all()
    assert "notifications_due" in " ".join(plan)
