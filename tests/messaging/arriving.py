"""Mail and messages that arrive at a tenant, past the HTTP application."""

from __future__ import annotations

from typing import Any

from oneo.messaging import unipile
from oneo.messaging.incoming import Incoming
from oneo.store import inbox
from tests.dispatcher.crm import Crm


def arrive(crm: Crm, payload: dict[str, Any], **changes: Any) -> None:
    """Take a webhook of UniPile in and handle it; each is another than those before."""
    number = len(crm.decisions)
    name = "email_id" if payload["event"] == "mail_received" else "message_id"
    found = unipile.read({**payload, name: f"n-{number}", **changes})
    assert isinstance(found, Incoming)
    with crm.database.tenant(crm.tenant) as session:
        inbox.put(session, crm.tenant, found.kind, found.topic, found.data, key=found.key)
    crm.round()
