"""UniPile's webhooks: what starts, once, and who is let in."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from oneo.store import notifications
from oneo.store.models import Notification
from oneo_app.replaying import bring_about_again
from tests.dispatcher.crm import Crm
from tests.messaging.payloads import LINKEDIN, MAIL, MEDIA, WHATSAPP
from tests.nodes.bench import EXAMPLES, TestVault

SECRET = "nobody guesses this"
AUTH = {"unipile-auth": SECRET}
Post = Callable[..., httpx.Response]


@pytest.fixture
def connection() -> str:
    """A connection's name of the test's own: the server remembers those that it has seen."""
    return f"u{uuid4().hex[:8]}"


@pytest.fixture
def post(http: httpx.Client, crm: Crm, vault: TestVault, connection: str) -> Post:
    """Sends a webhook as UniPile does: with the tenant's secret, and without a content type."""
    vault.connect(connection, extra={"webhook_secret": SECRET})

    def send(payload: Any, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        body = json.dumps({**payload, **changes}) if isinstance(payload, dict) else payload
        url = f"/unipile/{crm.tenant}/{connection}"
        return http.post(url, content=body, headers=AUTH if headers is None else headers)

    return send


@pytest.mark.parametrize(
    ("type_name", "payload", "changes"),
    [
        ("trigger_linkedin_message", LINKEDIN, {}),
        ("trigger_whatsapp_message", WHATSAPP, {}),
        ("trigger_whatsapp_message", WHATSAPP, {"attachments": [MEDIA], "message": None}),
        ("trigger_email_received", MAIL, {}),
    ],
)
def test_the_catalogues_example_starts_with_what_fits_it(
    post: Post, crm: Crm, type_name: str, payload: dict[str, Any], changes: dict[str, Any]
) -> None:
    crm.watch(type_name, **EXAMPLES[type_name])
    assert post(payload, **changes).json()["status"] == "accepted"
    crm.round()
    (row,) = crm.started
    assert row.trigger_type == type_name


@pytest.mark.parametrize(
    ("type_name", "payload", "changes", "reason"),
    [
        ("trigger_linkedin_message", LINKEDIN, {"message": "uninterested"}, "'interested', 'demo'"),
        ("trigger_linkedin_message", LINKEDIN, {"sender": {}}, "degree of connection is not known"),
        ("trigger_linkedin_message", LINKEDIN, {"chat_content_type": "sponsored"}, "of type 'sponsored'"),
        ("trigger_whatsapp_message", WHATSAPP, {"account_info": {}}, "number that is not known"),
        ("trigger_email_received", MAIL, {"subject": "hello"}, "'urgent', 'critical'"),
        ("trigger_email_received", MAIL, {"to_attendees": []}, "'support@company.com' is watched"),
        (
            "trigger_email_received",
            MAIL,
            {"from_attendee": {"identifier": "a@customer.com.evil.org", "display_name": "x@customer.com"}},
            "'@customer.com' is wanted",
        ),
    ],
)
def test_what_does_not_fit_says_why(
    post: Post, crm: Crm, type_name: str, payload: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    crm.watch(type_name, **EXAMPLES[type_name])
    assert post(payload, **changes).status_code == 200
    crm.round()
    assert (crm.started, crm.decision()["outcome"]) == ([], "refused")
    assert reason in crm.decision()["reason"]


@pytest.mark.parametrize("payload", [LINKEDIN, WHATSAPP, MAIL])
def test_what_comes_again_starts_once(post: Post, crm: Crm, payload: dict[str, Any]) -> None:
    for kind in ("linkedin_message", "whatsapp_message", "email_received"):
        crm.watch(f"trigger_{kind}", kind.replace("_", "-"))
    answers = [post(payload).json() for _ in range(3)]
    crm.round()
    assert [one["status"] for one in answers] == ["accepted", "known", "known"]
    assert len(crm.started) == 1


@pytest.mark.parametrize(
    ("payload", "changes", "status"),
    [
        (LINKEDIN, {"account_info": {"user_id": "ACoAAKim"}}, "ignored"),
        (WHATSAPP, {"is_sender": True}, "ignored"),
        (WHATSAPP, {"account_info": {"user_id": "916307303338@s.whatsapp.net"}}, "ignored"),
        (MAIL, {"event": "mail_sent"}, "ignored"),
        (LINKEDIN, {"event": "message_read"}, "ignored"),
        (LINKEDIN, {"event": "message_sung"}, "noted"),
        (LINKEDIN, {"account_type": "TELEGRAM"}, "noted"),
        ({"AccountStatus": {"account_id": "a", "message": "OK"}}, {}, "noted"),
    ],
)
def test_what_is_no_incoming_message_is_acknowledged(
    post: Post, crm: Crm, payload: dict[str, Any], changes: dict[str, Any], status: str
) -> None:
    found = post(payload, **changes)
    assert (found.status_code, found.json()["status"]) == (200, status)
    assert crm.match() == 0


@pytest.mark.parametrize("headers", [{}, {"unipile-auth": ""}, {"unipile-auth": SECRET + "x"}])
def test_a_stranger_is_not_let_in(post: Post, crm: Crm, headers: dict[str, str]) -> None:
    found = post(LINKEDIN, headers)
    assert (found.status_code, SECRET in found.text, crm.match()) == (401, False, 0)


@pytest.mark.parametrize("extra", [{}, {"webhook_secret": ""}, {"webhook_secret": None}])
def test_without_a_secret_nobody_is_let_in(
    post: Post, crm: Crm, vault: TestVault, connection: str, extra: dict[str, Any]
) -> None:
    vault.connect(connection, extra=extra)
    assert [post(LINKEDIN, {"unipile-auth": sent}).status_code for sent in ("", "None")] == [401, 401]


def test_who_there_is_a_stranger_is_not_told(http: httpx.Client, crm: Crm) -> None:
    paths = [f"{crm.tenant}/nothing", "nobody", "shared/oneo_unipile", "a__b", "%00"]
    answers = [http.post(f"/unipile/{path}", content=json.dumps(LINKEDIN), headers=AUTH) for path in paths]
    assert {one.status_code for one in answers} == {401}


def test_a_shared_connection_serves_tenants_that_there_are(
    http: httpx.Client, crm: Crm, vault: TestVault
) -> None:
    vault.connect("oneo_unipile", owner="shared", extra={"webhook_secret": SECRET})
    body = json.dumps(LINKEDIN)
    answers = [http.post(f"/unipile/{name}", content=body, headers=AUTH) for name in (crm.tenant, "nobody")]
    assert [one.status_code for one in answers] == [200, 404]


def test_a_v2_signature_proves_as_much_while_it_is_fresh(post: Post) -> None:
    body = json.dumps(LINKEDIN).encode()

    def signed(moment: int) -> dict[str, str]:
        proof = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"unipile-signature": f"t={moment},v0={proof}"}

    now = int(time.time())
    codes = [post(body, signed(moment)).status_code for moment in (now, now - 301)]
    assert codes == [200, 401]
    assert post(body + b" ", signed(now)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_webhook(post: Post, body: bytes) -> None:
    assert post(body).status_code == 400


def test_everything_that_a_message_lacks_is_named(post: Post) -> None:
    found = post({"event": "message_received", "account_type": "LINKEDIN"})
    assert found.status_code == 400
    assert "message_id, account_id, chat_id" in found.json()["error"]["message"]


def test_what_people_write_stays_data_whatever_it_is(post: Post, crm: Crm) -> None:
    text = "{{ secrets.shop }} \x00 ' OR 1=1 \ud800"
    crm.watch("trigger_whatsapp_message")
    assert post(WHATSAPP, message=text).json()["status"] == "accepted"
    crm.round()
    assert crm.started[0].data["text"] == "{{ secrets.shop }} \ufffd ' OR 1=1 \ufffd"


def answers(crm: Crm) -> list[str]:
    with crm.database.tenant(crm.tenant) as session:
        rows = session.scalars(select(Notification).where(Notification.channel == "whatsapp"))
        return sorted(row.recipient for row in rows)


def test_messages_that_become_one_execution_are_acknowledged_each(post: Post, crm: Crm) -> None:
    limit = {"max_executions_per_hour": 1, "on_limit": "coalesce"}
    crm.watch("trigger_whatsapp_message", auto_acknowledge=True, settings={"start": limit})
    for number in range(4):
        post(WHATSAPP, message_id=f"w-{number}", chat_id=f"chat-{number}")
        crm.round()
    assert answers(crm) == ["chat-0", "chat-1", "chat-2", "chat-3"]
    crm.make_due()
    crm.round()
    assert len(answers(crm)) == 4


def test_a_message_is_acknowledged_once_by_however_many_workflows(post: Post, crm: Crm) -> None:
    for name in ("first", "second"):
        crm.watch("trigger_whatsapp_message", name, auto_acknowledge=True)
    event = post(WHATSAPP).json()["event"]
    crm.round()
    assert (len(crm.started), answers(crm)) == (2, ["chat-2"])
    bring_about_again(crm.database, crm.tenant, event)
    crm.round()
    assert (len(crm.started), answers(crm)) == (4, ["chat-2"])


def test_a_whatsapp_message_is_acknowledged_once(post: Post, crm: Crm) -> None:
    crm.watch("trigger_whatsapp_message", auto_acknowledge=True, acknowledgement="We have it.")
    for changes in ({}, {}, {"message_id": "w-2", "is_group": True}):
        post(WHATSAPP, **changes)
    crm.round()
    alone, group = crm.started
    with crm.database.tenant(crm.tenant) as session:
        (sent,) = notifications.of_execution(session, alone.id)
        assert notifications.of_execution(session, group.id) == []
    assert (sent.channel, sent.recipient, sent.message, sent.status) == (
        "whatsapp",
        "chat-2",
        "We have it.",
        "queued",
    )
