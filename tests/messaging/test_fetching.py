"""Mail that is delivered starts workflows, once, and is left as it was."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from oneo.errors import InfrastructureError, QuotaError, UserError
from oneo.store import mail_files, tenants
from oneo.store.models import InboxEvent
from oneo_app.mail.access import Access, access
from oneo_app.mail.fetching import MAX_BYTES, Fetched, fetch
from oneo_app.mail.watching import watch
from tests.dispatcher.crm import Crm
from tests.factory.conftest import bundle_home, make_bundle, store
from tests.messaging.imap_server import LOGIN, PASSWORD, ImapServer
from tests.messaging.mails import written
from tests.nodes.bench import EXAMPLES, TestVault
from tests.tenants.conftest import oneo

__all__ = ["bundle_home", "make_bundle", "oneo", "store"]
TYPE = "trigger_email_received"


def kept(crm: Crm) -> list[InboxEvent]:
    with crm.database.tenant(crm.tenant) as session:
        return list(session.scalars(select(InboxEvent).order_by(InboxEvent.id)))


@pytest.fixture
def begun(server: ImapServer, box: Access, crm: Crm) -> Access:
    """The mailbox, looked at before: what comes from now on is new."""
    assert fetch(crm.database, box) == Fetched()
    return box


def test_the_catalogues_example_from_delivery_to_execution(
    server: ImapServer, begun: Access, crm: Crm
) -> None:
    crm.watch(TYPE, **EXAMPLES[TYPE])
    server.deliver(written(files={"../log.txt": ("text/plain", b"stack trace")}))
    server.deliver(written(Subject="hello", Message_ID="<2@customer.com>"))
    assert fetch(crm.database, begun) == Fetched(taken=2)
    crm.round()
    (row,) = crm.started
    (file,) = row.data["attachments"]
    assert (row.data["text"], file["name"], file["text"]) == ("Please help.", "log.txt", "stack trace")
    with crm.database.tenant(crm.tenant) as session:
        (stored,) = mail_files.of_event(session, row.event_id)
    assert (str(stored.id), stored.content) == (file["id"], b"stack trace")
    assert "none of the words" in crm.decision()["reason"]


def test_without_parse_attachments_files_are_named_only(server: ImapServer, begun: Access, crm: Crm) -> None:
    crm.watch(TYPE)
    server.deliver(written(files={"log.txt": ("text/plain", b"stack trace")}))
    fetch(crm.database, begun)
    crm.round()
    assert set(crm.started[0].data["attachments"][0]) == {"id", "name", "content_type", "size"}


def test_each_mail_once_whatever_happens_to_the_folder(server: ImapServer, begun: Access, crm: Crm) -> None:
    crm.watch(TYPE)
    server.deliver(written(Message_ID=None))
    server.deliver(written())
    assert fetch(crm.database, begun).taken == 2
    assert fetch(crm.database, begun) == Fetched()
    server.renumber()
    assert fetch(crm.database, begun) == Fetched(known=2)
    server.deliver(written())
    server.deliver(written(Message_ID="<new@x>"))
    assert fetch(crm.database, begun) == Fetched(taken=1, known=1)
    crm.round()
    assert len(crm.started) == 3


def test_what_was_there_before_is_left_unless_asked_for(server: ImapServer, box: Access, crm: Crm) -> None:
    server.deliver(written())
    assert fetch(crm.database, box) == Fetched(left=1)
    assert fetch(crm.database, box) == Fetched()
    other = replace(box, name="other")
    assert fetch(crm.database, other, everything=True) == Fetched(taken=1)
    assert [row.topic for row in kept(crm)] == ["other"]


def test_what_comes_after_an_empty_mailbox_was_taken_in_is_new(
    server: ImapServer, box: Access, crm: Crm
) -> None:
    assert fetch(crm.database, box, everything=True) == Fetched()
    server.deliver(written())
    assert fetch(crm.database, box) == Fetched(taken=1)


def test_a_mail_that_looks_known_is_not_deleted(server: ImapServer, begun: Access, crm: Crm) -> None:
    server.deliver(written("one"))
    other = server.deliver(written("another"))
    assert fetch(crm.database, replace(begun, after="delete")) == Fetched(taken=1, known=1)
    assert server.mails == [other]


def test_mail_is_left_as_it_was(server: ImapServer, begun: Access, crm: Crm) -> None:
    mail = server.deliver(written())
    fetch(crm.database, begun)
    assert (mail.flags, server.mails) == (set(), [mail])
    assert not [one for one in server.commands if one.startswith(("SELECT", "UID STORE", "EXPUNGE"))]


@pytest.mark.parametrize(("after", "left"), [("mark", [{"\\Seen"}]), ("delete", [])])
def test_what_becomes_of_mail_can_be_said(
    server: ImapServer, begun: Access, crm: Crm, after: Any, left: list[set[str]]
) -> None:
    server.deliver(written())
    assert fetch(crm.database, replace(begun, after=after)).taken == 1
    assert [mail.flags for mail in server.mails] == left


def test_a_mail_that_cannot_be_read_is_kept_and_stops_nobody(
    server: ImapServer, begun: Access, crm: Crm
) -> None:
    crm.watch(TYPE)
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    bad = server.deliver(b"From: a@b.de\r\nSubject: deep\r\nMessage-ID: <deep@x>\r\n" + nested)
    large = server.deliver(written(Message_ID="<large@x>", Subject="large"))
    server.sizes[large.uid] = MAX_BYTES + 1
    server.deliver(written())
    done = fetch(crm.database, replace(begun, after="delete"))
    assert done == Fetched(taken=1, problems=2)
    assert server.mails == [bad, large]
    crm.round()
    assert [row.data["subject"] for row in crm.started] == ["URGENT: help"]
    first, second, _ = kept(crm)
    assert (first.data["subject"], first.problem) == ("deep", "it cannot be read: RecursionError")
    assert "too large" in str(second.problem)
    with crm.database.tenant(crm.tenant) as session:
        (original,) = mail_files.of_event(session, first.id)
    assert original.content == bad.raw


def test_a_mail_without_room_for_its_files_waits_in_the_mailbox(
    server: ImapServer, begun: Access, crm: Crm
) -> None:
    def allow(megabytes: int) -> None:
        with crm.database.system() as session:
            tenants.set_setting(session, crm.tenant, "max_storage_mb", megabytes)

    allow(0)
    server.deliver(written(files={"log.txt": ("text/plain", b"stack trace")}))
    server.deliver(written(Message_ID="<2@customer.com>"))
    for _ in range(2):
        with pytest.raises(QuotaError, match=r"no room for file 'log\.txt' of 0\.0 kB"):
            fetch(crm.database, begun)
    assert kept(crm) == []
    allow(1)
    assert fetch(crm.database, begun) == Fetched(taken=2)


def test_secrets_in_mail_stay_data(server: ImapServer, begun: Access, crm: Crm) -> None:
    crm.watch(TYPE)
    server.deliver(written("{{ secrets.shop }}", Subject="{{ secrets.shop }}"))
    fetch(crm.database, begun)
    crm.round()
    data = crm.started[0].data
    assert (data["subject"], data["text"]) == ("{{ secrets.shop }}", "{{ secrets.shop }}")


@pytest.mark.parametrize("can_idle", [True, False])
def test_a_watched_mailbox(server: ImapServer, begun: Access, crm: Crm, can_idle: bool) -> None:
    server.can_idle = can_idle
    server.deliver(written(Message_ID="<0@x>"))
    stop, taken = threading.Event(), threading.Semaphore(0)

    def tell(done: Fetched) -> None:
        for _ in range(done.taken):
            taken.release()

    watching = threading.Thread(target=watch, args=(crm.database, begun, stop), kwargs={"tell": tell})
    watching.start()
    try:
        assert taken.acquire(timeout=60)
        if can_idle:
            assert server.someone_idles.wait(20)
            server.deliver(written(Message_ID="<1@x>"))
            assert taken.acquire(timeout=60)
    finally:
        stop.set()
        watching.join(20)
    assert not watching.is_alive()


def test_a_wrong_password_is_said_without_it(box: Access, crm: Crm) -> None:
    with pytest.raises(UserError, match="does not take the login") as error:
        fetch(crm.database, replace(box, password="hush hush"))
    assert "hush" not in str(error.value) + repr(replace(box, password="hush hush"))


def test_a_server_that_is_not_there(server: ImapServer, box: Access, crm: Crm) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(InfrastructureError, match="does not answer"):
        fetch(crm.database, box)


def test_a_server_that_cannot_prove_who_it_is(box: Access, crm: Crm) -> None:
    with pytest.raises(InfrastructureError) as error:
        fetch(crm.database, replace(box, encryption="tls"))
    assert isinstance(error.value.__context__, ssl.SSLError | OSError)


def test_a_connection_says_how() -> None:
    vault = TestVault("acme")
    vault.connect("mine", kind="imap", host="mail.example.com", login="a", password="b")
    vault.connect("plain", host="h", login="a", password="b", extra={"use_ssl": "false", "folder": "Tickets"})
    vault.connect("half", host="h", login="", extra={"after": "burn"})
    assert (access(vault, "acme", "mine").encryption, access(vault, "acme", "mine").after) == ("tls", "leave")
    plain = access(vault, "acme", "plain")
    assert (plain.encryption, plain.folder) == ("none", "Tickets")
    with pytest.raises(UserError, match="login is missing; password is missing; extra after is 'burn'"):
        access(vault, "acme", "half")


def test_the_command(
    oneo: Callable[..., Any], server: ImapServer, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {
        "conn_type": "imap",
        "host": "127.0.0.1",
        "port": server.port,
        "login": LOGIN,
        "password": PASSWORD,
        "extra": {"use_ssl": False},
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_ONEO__{crm.tenant.upper()}__DESK", json.dumps(connection))
    server.deliver(written())
    done = oneo("mail", "fetch", "desk", "--all", "--tenant", crm.tenant, "--json")
    assert json.loads(done.stdout) == {"taken": 1, "known": 0, "problems": 0, "left": 0}
    missing = oneo("mail", "fetch", "none", "--tenant", crm.tenant)
    assert (missing.exit_code, f"oneo__{crm.tenant}__none" in missing.output) == (1, True)
