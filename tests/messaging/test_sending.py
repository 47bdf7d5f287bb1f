"""Acknowledgements leave the house: through UniPile, at most once each, and what is not known is said."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import Message
from email.parser import BytesParser
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from oneo.database import Database
from oneo.errors import OverError
from oneo.settings import settings
from oneo.store import notifications, outgoing, tenants
from oneo.store.models import Notification
from oneo_app.sending.sender import Sender
from tests.e2e.waiting import wait_until
from tests.http.server import Answer, Recorded, RecordingServer
from tests.nodes.bench import TestVault

KEY = "a-key-nobody-guesses"
PATH = "/api/v1/chats/chat-2/messages"
SENT = Answer(status=201, body={"object": "MessageSent", "message_id": "m-77"})


def unipile(request: Recorded) -> Answer:
    """As documented: a key in X-API-KEY, a form with `text`."""
    if request.headers.get("x-api-key") != KEY:
        return Answer(status=401, body={"type": "errors/missing_credentials", "status": 401})
    return (
        SENT if said(request) is not None else Answer(status=400, body={"type": "errors/invalid_parameters"})
    )


def said(request: Recorded) -> str | None:
    """The `text` of a form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + request.body)
    for part in form.get_payload():
        assert isinstance(part, Message)
        if part.get_param("name", header="content-disposition") == "text":
            payload = part.get_payload(decode=True)
            return payload.decode() if isinstance(payload, bytes) else None
    return None


class Post:
    """A tenant's messages, and a sender with a stand-in for UniPile."""

    def __init__(self, database: Database, tenant: str, server: RecordingServer) -> None:
        self.database, self.tenant, self.server = database, tenant, server
        self.vault = TestVault(tenant)
        self.now = 0.0
        self.sender = Sender(database, self.vault, timeout_seconds=2, clock=lambda: self.now)

    def connect(self, **fields: Any) -> None:
        given = {"host": "127.0.0.1", "port": self.server.port, "scheme": "http", "password": KEY, **fields}
        self.vault.connect("oneo_unipile", **given)

    def queue(self, message: str = "Thank you.", chat: str = "chat-2") -> Any:
        own = uuid4()
        with self.database.system() as session:
            notifications.create_once(
                session,
                self.tenant,
                notification_id=own,
                channel="whatsapp",
                recipient=chat,
                message=message,
                execution_id=None,
                node_id=None,
            )
        return own

    def step(self, seconds: float = 11) -> int:
        """One step, so much later."""
        self.now += seconds
        return self.sender.step()

    def due(self) -> None:
        """Let the wait for the next attempt be over."""
        self.alter("due_at = now()")

    def alter(self, change: str) -> None:
        with self.database.tenant(self.tenant) as session:
            session.execute(text(f"UPDATE notifications SET {change}"))

    @property
    def row(self) -> Notification:
        with self.database.tenant(self.tenant) as session:
            (found,) = outgoing.recent(session)
            return found


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as found:
        yield found.on("POST", PATH, unipile)


@pytest.fixture
def post(
    database: Database, tenant: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Post]:
    monkeypatch.setenv("ONEO_HTTP_ALLOW", "127.0.0.1")
    settings.cache_clear()
    with database.system() as session:
        session.execute(text("UPDATE notifications SET status = 'cancelled' WHERE channel = 'whatsapp'"))
    yield Post(database, tenant, server)
    monkeypatch.undo()
    settings.cache_clear()


def test_it_is_sent_as_unipile_documents_it(post: Post, server: RecordingServer) -> None:
    post.connect()
    post.queue('Thank you ✓ "{{ secrets.x }}"\r\nX: y')
    assert (post.step(), post.step()) == (1, 0)
    (request,) = server.requests
    assert (request.method, request.path, said(request)) == (
        "POST",
        PATH,
        'Thank you ✓ "{{ secrets.x }}"\r\nX: y',
    )
    row = post.row
    assert (row.status, row.reference, row.attempts, row.problem) == ("sent", "m-77", 1, None)


def test_several_senders_send_each_once(post: Post, server: RecordingServer) -> None:
    post.connect()
    for number in range(12):
        post.queue(f"message {number}")
    senders = [Sender(post.database, post.vault, pace_seconds=0) for _ in range(4)]

    def run(sender: Sender) -> None:
        while sender.step():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, senders))
    while senders[0].step():
        pass
    assert sorted(said(one) or "" for one in server.requests) == sorted(f"message {n}" for n in range(12))


def test_a_tenant_s_messages_are_paced_and_hold_up_nobody_else(
    post: Post, server: RecordingServer, database: Database
) -> None:
    post.connect()
    other = Post(database, f"{post.tenant}x", server)
    with database.system() as session:
        tenants.ensure(session, other.tenant)
    post.vault.connections |= other.vault.connections
    post.vault.connect("oneo_unipile", owner="shared", host=server.url(), password=KEY)
    for _ in range(2):
        post.queue()
        other.queue()
    assert [post.step(seconds) for seconds in (0, 5, 5.1, 5, 5.1)] == [2, 0, 2, 0, 0]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_was_refused_for_now_is_tried_again(post: Post, server: RecordingServer, status: int) -> None:
    server.on("POST", PATH, Answer(status=status, body={"title": "Too many"}), unipile)
    post.connect()
    post.queue()
    assert post.step() == 1
    row = post.row
    assert (row.status, row.attempts) == ("queued", 1)
    assert f"attempt 1 of 5: {server.url(PATH)} answered {status}" in str(row.problem)
    assert post.step() == 0, "its time has not come"
    post.due()
    assert post.step() == 1
    assert (post.row.status, post.row.problem, len(server.requests)) == ("sent", None, 2)


def test_how_long_to_wait_unipile_may_say(post: Post, server: RecordingServer) -> None:
    server.on("POST", PATH, Answer(status=429, headers={"Retry-After": "900"}))
    post.connect()
    post.queue()
    post.step()
    row = post.row
    assert row.due_at is not None
    assert row.tried_at is not None
    assert timedelta(seconds=890) < row.due_at - row.tried_at < timedelta(seconds=960)


def test_it_is_not_tried_for_ever(post: Post, server: RecordingServer) -> None:
    server.on("POST", PATH, Answer(status=503))
    post.connect()
    post.queue()
    for _ in range(7):
        post.step()
        post.due()
    assert (post.row.status, len(server.requests)) == ("failed", 5)
    assert "after 5 attempts" in str(post.row.problem)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(delay=60),
        Answer(drop="before"),
        Answer(drop="reset"),
        Answer(status=201, body=b"{", drop="during"),
        Answer(status=502),
        Answer(status=504),
    ],
)
def test_what_may_have_been_sent_is_unknown_and_is_not_sent_again(
    post: Post, server: RecordingServer, answer: Answer
) -> None:
    server.on("POST", PATH, answer, unipile)
    post.connect()
    post.queue()
    assert [post.step() for _ in range(3)] == [1, 0, 0]
    assert (post.row.status, len(server.requests)) == ("unknown", 1)
    assert "it may have been sent" in str(post.row.problem)


def test_a_sender_that_was_killed_while_it_sent_leaves_it_unknown(
    post: Post, server: RecordingServer
) -> None:
    post.connect()
    post.queue()
    with post.database.system() as session:
        assert outgoing.claim(session, post.tenant, "whatsapp") is not None
    assert (post.step(), post.row.status) == (0, "sending")
    post.alter("tried_at = now() - interval '1 hour'")
    assert (post.step(), post.row.status, server.requests) == (0, "unknown", [])


def test_one_that_was_not_sent_at_all_is_tried_again(post: Post, server: RecordingServer) -> None:
    with RecordingServer() as gone:
        pass
    post.connect(port=gone.port)
    post.queue()
    assert post.step() == 1
    assert (post.row.status, post.row.attempts) == ("queued", 1)
    assert "could not connect" in str(post.row.problem)
    post.connect()
    post.due()
    assert post.step() == 1
    assert post.row.status == "sent"


@pytest.mark.parametrize("status", [400, 401, 404, 422, 302])
def test_what_unipile_refuses_has_failed(post: Post, server: RecordingServer, status: int) -> None:
    body = {"type": "errors/disconnected_account", "title": "Disconnected", "detail": KEY}
    server.on("POST", PATH, Answer(status=status, body=body, headers={"Location": server.url("/else")}))
    post.connect()
    post.queue()
    post.step()
    post.due()
    post.step()
    assert (post.row.status, len(server.requests)) == ("failed", 1)
    assert f"answered {status}" in str(post.row.problem)
    assert KEY not in str(post.row.problem)


def test_private_addresses_are_not_called(post: Post, server: RecordingServer) -> None:
    post.connect(host="10.0.0.1")
    post.queue()
    post.step()
    assert post.row.status == "failed"
    assert "ONEO_HTTP_ALLOW" in str(post.row.problem)


@pytest.mark.parametrize("chat", ["..", "a/../../accounts", "x?y=1#z"])
def test_the_id_of_a_chat_leads_nowhere_else(post: Post, server: RecordingServer, chat: str) -> None:
    post.connect()
    post.queue(chat=chat)
    post.step()
    paths = {one.target for one in server.requests}
    assert all(path.startswith("/api/v1/chats/") and path.count("/") == 5 for path in paths), paths
    assert post.row.status == "failed"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (None, "there is no connection 'oneo_unipile'"),
        ({"password": None, "host": ""}, "its host is missing, its password (the API key) is missing"),
    ],
)
def test_without_a_connection_it_stays_queued_and_says_so(
    post: Post, server: RecordingServer, fields: dict[str, Any] | None, said: str
) -> None:
    if fields is not None:
        post.connect(**fields)
    post.queue()
    assert (post.step(), post.row.status, post.row.attempts) == (0, "queued", 0)
    assert said in str(post.row.problem)
    with post.database.system() as session:
        assert [one for one in outgoing.troubled(session) if one[0] == post.tenant] == [
            (post.tenant, "queued", str(post.row.problem), 1)
        ]
    post.connect()
    assert post.step(61) == 1
    assert (post.row.status, post.row.problem) == ("sent", None)


def test_what_has_waited_for_too_long_is_not_sent_any_more(post: Post, server: RecordingServer) -> None:
    post.queue()
    post.alter("created_at = now() - interval '25 hours'")
    assert (post.step(), post.row.status) == (0, "queued"), "nobody could"
    post.connect()
    assert (post.step(61), post.row.status, server.requests) == (0, "failed", [])
    assert "within 24 hours" in str(post.row.problem)


def test_a_person_may_have_it_sent_again(post: Post, server: RecordingServer) -> None:
    server.on("POST", PATH, Answer(status=504), unipile)
    post.connect()
    own = post.queue()
    post.alter("created_at = now() - interval '3 days', due_at = now()")
    post.step()
    assert post.row.status == "unknown"
    with post.database.tenant(post.tenant) as session:
        outgoing.send_again(session, post.tenant, own)
    assert (post.step(), post.row.status) == (1, "sent")
    with (
        post.database.tenant(post.tenant) as session,
        pytest.raises(OverError, match="is sent"),
    ):
        outgoing.send_again(session, post.tenant, own)


def test_only_messages_to_chats_are_sent(post: Post, server: RecordingServer) -> None:
    post.connect()
    with post.database.tenant(post.tenant) as session:
        for channel in ("email", "sms", "in_app"):
            notifications.create(
                session,
                post.tenant,
                notification_id=uuid4(),
                channel=channel,
                recipient="chat-2",
                title="t",
                message="m",
                priority="low",
                link_url=None,
                execution_id=None,
                node_id=None,
            )
    assert (post.step(), server.requests) == (0, [])


def test_it_runs_until_it_is_told_to_stop_whatever_happens(
    post: Post, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(TestVault):
        def connection(self, conn_id: str) -> Any:
            if "broken" in self.secrets:
                raise RuntimeError("the vault is broken")
            return super().connection(conn_id)

    vault = Broken(post.tenant)
    vault.keep("x", "y")
    vault.secrets["broken"] = "yes"
    vault.connections = post.vault.connections
    post.connect()
    post.queue()
    now = [0.0]
    stop = Event()
    sender = Sender(post.database, vault, clock=lambda: now[0])
    thread = Thread(target=sender.run, args=(stop,))
    with caplog.at_level(logging.ERROR):
        thread.start()
        wait_until(lambda: "are not sent" in caplog.text, "the vault to fail")
        del vault.secrets["broken"]
        now[0] = 61.0
        server.wait_for(1, 20)
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert post.row.status == "sent"
