"""`oneo notifications`: what went out, what did not and why, and once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from oneo.database import Database
from oneo.store import notifications, outgoing


@pytest.fixture
def unknown(database: Database, tenant: str) -> str:
    """A message of which nobody knows whether it was sent."""
    own = uuid4()
    with database.system() as session:
        notifications.create_once(
            session,
            tenant,
            notification_id=own,
            channel="whatsapp",
            recipient="chat-1",
            message="Thank [you]",
            execution_id=None,
            node_id=None,
        )
        row = outgoing.claim(session, tenant, "whatsapp")
        assert row is not None
        outgoing.settle(session, row, "unknown", problem="it may have been sent: no answer")
    return str(own)


def test_what_is_not_known_is_shown_and_sent_again_when_a_person_says_so(
    command: Callable[..., Any], database: Database, tenant: str, unknown: str
) -> None:
    (row,) = command("notifications", "list", "--status", "unknown", "--channel", "whatsapp")
    assert (row["notification"], row["attempts"], row["message"]) == (unknown, 1, "Thank [you]")
    shown = command("notifications", "list", code=0)
    assert "it may have been sent: no answer" in shown
    assert "Thank [you]" in shown
    assert command("notifications", "list", "--status", "sent") == []
    assert command("notifications", "send-again", unknown)["status"] == "queued"
    assert "is queued" in command("notifications", "send-again", unknown, code=1)
    with database.system() as session:
        assert outgoing.claim(session, tenant, "whatsapp").id == UUID(unknown)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--status", "sended"], "there is no status 'sended'"),
        (["send-again", "7b0c2f5e-0000-4000-8000-000000000000"], "there is no notification"),
    ],
)
def test_what_is_not_there(command: Callable[..., Any], arguments: list[str], message: str) -> None:
    assert message in command("notifications", *arguments, code=1)
