"""Mail and messages, as UniPile tells of them and as mailboxes hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from oneo.store import notifications
from oneo.store.models import Execution
from tests.e2e.trigger_cases import Case, Family, Outside, Trace, Watched
from tests.messaging.imap_server import LOGIN, PASSWORD, ImapServer
from tests.messaging.mails import written
from tests.messaging.payloads import LINKEDIN, MAIL, MEDIA, WHATSAPP
from tests.nodes.bench import EXAMPLES

EMAIL = EXAMPLES["trigger_email_received"]
INMAIL, PHONE = EXAMPLES["trigger_linkedin_message"], EXAMPLES["trigger_whatsapp_message"]
SECRET = "nobody guesses this"
Happening = Callable[[Outside], Trace]

WORKFLOWS = {
    "mail": Watched("trigger_email_received", EMAIL),
    "mail_unread": Watched(
        "trigger_email_received", {**EMAIL, "mailboxes": ["support"], "parse_attachments": False}
    ),
    "linkedin": Watched("trigger_linkedin_message", INMAIL),
    "whatsapp": Watched("trigger_whatsapp_message", PHONE),
    "whatsapp_silent": Watched(
        "trigger_whatsapp_message", {**PHONE, "account_ids": ["quiet"], "auto_acknowledge": False}
    ),
    "whatsapp_media": Watched(
        "trigger_whatsapp_message", {**PHONE, "account_ids": ["quiet"], "message_types": ["media"]}
    ),
}


def told(payload: Mapping[str, Any], **changes: Any) -> Happening:
    """UniPile tells of a mail or message; each is another one."""
    name = "email_id" if payload["event"] == "mail_received" else "message_id"

    def happens(outside: Outside) -> Trace:
        body = {**payload, name: uuid4().hex, **changes}
        answer = outside.http.post(f"/unipile/{outside.tenant}", json=body, headers={"unipile-auth": SECRET})
        return Trace(events=(answer.json()["event"],))

    return happens


def fetched(outside: Outside) -> Trace:
    """A mail comes to the mailbox, which is looked into."""
    key = f"<{uuid4().hex}@customer.com>"
    outside.known["server"].deliver(
        written(Message_ID=key, files={"log.txt": ("text/plain", b"stack trace")})
    )
    assert outside.json("mail", "fetch", "support")["taken"] == 1
    return Trace(
        events=(outside.sql("SELECT max(id) FROM inbox WHERE kind = 'email' AND topic = 'support'"),)
    )


def with_text(found: Sequence[Execution], _: Outside) -> None:
    assert found[0].data["attachments"][0]["text"].strip() == "stack trace"


def without_text(found: Sequence[Execution], _: Outside) -> None:
    (file,) = found[0].data["attachments"]
    assert (file["name"], "text" in file) == ("log.txt", False)


def sender(address: str) -> dict[str, Any]:
    return {"from_attendee": {**MAIL["from_attendee"], "identifier": address}}


MAIL_CASES = [
    Case("mail", "email_addresses", told(MAIL)),
    Case(
        "mail",
        "email_addresses",
        told(MAIL, to_attendees=[{"identifier": "sales@company.com"}]),
        "it went to 'sales@company.com', and 'support@company.com' is watched",
    ),
    Case("mail", "subject_filters", told(MAIL, subject="This is critical!")),
    Case("mail", "subject_filters", told(MAIL, subject="Not urgently"), "none of the words 'urgent'"),
    Case("mail", "sender_whitelist", told(MAIL, **sender("Bob@Customer.com"))),
    Case("mail", "sender_whitelist", told(MAIL, **sender("bob@customer.com.evil.com")), "it is from bob@"),
    Case("mail", "parse_attachments", fetched, shows=with_text),
    Case("mail_unread", "parse_attachments", fetched, shows=without_text),
]


def distance(value: str | None) -> dict[str, Any]:
    specifics = {"provider": "LINKEDIN", **({"network_distance": value} if value else {})}
    return {"sender": {**LINKEDIN["sender"], "attendee_specifics": specifics}}


LINKEDIN_CASES = [
    Case("linkedin", "message_types", told(LINKEDIN)),
    Case("linkedin", "message_types", told(LINKEDIN, chat_content_type="inmail")),
    Case(
        "linkedin",
        "message_types",
        told(LINKEDIN, chat_content_type="sponsored"),
        "it is of type 'sponsored', and 'inmail', 'message' is wanted",
    ),
    Case("linkedin", "sender_filters", told(LINKEDIN, **distance("DISTANCE_1"))),
    Case("linkedin", "sender_filters", told(LINKEDIN, **distance(None)), "degree of connection is not known"),
    Case("linkedin", "sender_filters.connection_degree", told(LINKEDIN, **distance("DISTANCE_2"))),
    Case(
        "linkedin",
        "sender_filters.connection_degree",
        told(LINKEDIN, **distance("DISTANCE_3")),
        "degree of connection is 3, and 1, 2 is wanted",
    ),
    Case("linkedin", "keyword_filters", told(LINKEDIN, message="A DEMO, please")),
    Case("linkedin", "keyword_filters", told(LINKEDIN, message="uninterested"), "words 'interested', 'demo'"),
]


def called(number: str) -> dict[str, Any]:
    return {"account_info": {"user_id": f"{number}@s.whatsapp.net"}}


def answered(found: Sequence[Execution], outside: Outside) -> None:
    (row,) = answers(found, outside)
    assert (row.channel, row.recipient) == ("whatsapp", "chat-2")


def not_answered(found: Sequence[Execution], outside: Outside) -> None:
    assert answers(found, outside) == []


def answers(found: Sequence[Execution], outside: Outside) -> list[Any]:
    with outside.stack.database.tenant(outside.tenant) as session:
        return list(notifications.of_execution(session, found[0].id))


PICTURE = {"attachments": [MEDIA], "message": None}
WHATSAPP_CASES = [
    Case("whatsapp", "phone_numbers", told(WHATSAPP)),
    Case("whatsapp", "phone_numbers", told(WHATSAPP, **called("1234567891")), "it came to +1234567891"),
    Case("whatsapp", "message_types", told(WHATSAPP)),
    Case("whatsapp", "message_types", told(WHATSAPP, **PICTURE)),
    Case("whatsapp_media", "message_types", told(WHATSAPP, account_id="quiet", **PICTURE)),
    Case("whatsapp_media", "message_types", told(WHATSAPP, account_id="quiet"), "it is of type 'text'"),
    Case("whatsapp", "auto_acknowledge", told(WHATSAPP), shows=answered),
    Case("whatsapp", "auto_acknowledge", told(WHATSAPP, is_group=True), shows=not_answered),
    Case("whatsapp_silent", "auto_acknowledge", told(WHATSAPP, account_id="quiet"), shows=not_answered),
]


def prepare(outside: Outside) -> None:
    """UniPile's secret, and an empty mailbox that has been looked into once."""
    outside.keep(
        "connections",
        connection_id="oneo_unipile",
        conn_type="http",
        extra=json.dumps({"webhook_secret": SECRET}),
    )
    server = ImapServer()
    outside.exits.callback(server.server_close)
    outside.exits.callback(server.shutdown)
    outside.known["server"] = server
    outside.keep(
        "connections",
        connection_id="support",
        conn_type="imap",
        host="127.0.0.1",
        port=server.port,
        login=LOGIN,
        password=PASSWORD,
        extra=json.dumps({"use_ssl": False}),
    )
    outside.oneo("mail", "fetch", "support")


FAMILY = Family("messages", WORKFLOWS, [*MAIL_CASES, *LINKEDIN_CASES, *WHATSAPP_CASES], prepare)
