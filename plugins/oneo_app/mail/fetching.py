"""Taking in what has come to a mailbox since the last time."""

from __future__ import annotations

import imaplib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from imap_tools import BaseMailBox
from sqlalchemy.exc import DataError

from oneo.database import Database
from oneo.messaging.files import MailFile
from oneo.messaging.mail import Mail, read, unread
from oneo.store import inbox, mail_files, mail_state
from oneo.store.models import MailState
from oneo_app.mail.access import Access, opened

logger = logging.getLogger(__name__)

MAX_BYTES = 25 * 1024 * 1024
SIZES_AT_ONCE = 200
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_UID = re.compile(rb"UID (\d+)")


@dataclass
class Fetched:
    """What became of the mails that were new.

    Attributes:
        taken: Became events.
        known: Had come before, e.g. in another folder.
        problems: Kept, but could not be read, or are too large.
        left: Were there before the mailbox was first looked at.
    """

    taken: int = 0
    known: int = 0
    problems: int = 0
    left: int = 0

    def as_json(self) -> dict[str, int]:
        """As commands print it."""
        return asdict(self)


def fetch(database: Database, box: Access, *, everything: bool = False) -> Fetched:
    """Take in what is new in a mailbox. Each mail is committed before the next is asked for.

    Args:
        database: The store.
        box: The mailbox.
        everything: At the first time, also what is there already.

    Raises:
        UserError: The server does not take the login.
        QuotaError: There is no room for the files of a mail; it stays in the mailbox with those behind it, and is
            taken in as soon as there is.
        InfrastructureError: The server or the database does not answer.
    """
    with opened(box) as mailbox:
        return take(database, box, mailbox, everything=everything)


def take(database: Database, box: Access, mailbox: BaseMailBox, *, everything: bool = False) -> Fetched:
    """The same for a mailbox that is open."""
    status = mailbox.folder.status(box.folder, ["UIDVALIDITY", "UIDNEXT", "MESSAGES"])
    mailbox.folder.set(box.folder, readonly=box.after == "leave")
    validity, found = status["UIDVALIDITY"], Fetched()
    with database.tenant(box.tenant_id) as session:
        state = mail_state.find(session, box.name, box.folder)
        if state is None and not everything:
            found.left = status["MESSAGES"]
            mail_state.advance(session, box.tenant_id, box.name, box.folder, validity, status["UIDNEXT"] - 1)
            return found
    for uid, size in _sizes(mailbox, _new(mailbox, state, validity)):
        _take_one(database, box, mailbox, validity, uid, size, found)
    if state is None or state.uid_validity != validity:
        # Also where nothing was there, so that what comes next is new.
        with database.tenant(box.tenant_id) as session:
            mail_state.advance(session, box.tenant_id, box.name, box.folder, validity, status["UIDNEXT"] - 1)
    return found


def _new(mailbox: BaseMailBox, state: MailState | None, validity: int) -> Sequence[int]:
    """The numbers of the mails that were not looked at, in order."""
    if state is None:
        return sorted(map(int, mailbox.uids("ALL")))
    if state.uid_validity == validity:
        # `n:*` always includes the last mail, also where its number is below n.
        found = map(int, mailbox.uids(f"UID {state.last_uid + 1}:*"))
        return sorted(uid for uid in found if uid > state.last_uid)
    # All numbers are new ones: those of the days in question are known by their own ids.
    since = state.read_at - timedelta(days=2)
    return sorted(map(int, mailbox.uids(f"SINCE {imaplib.Time2Internaldate(since)[1:12].strip()}")))


def _sizes(mailbox: BaseMailBox, uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    for start in range(0, len(uids), SIZES_AT_ONCE):
        some = uids[start : start + SIZES_AT_ONCE]
        _, lines = mailbox.client.uid("FETCH", ",".join(map(str, some)), "(UID RFC822.SIZE)")
        sizes = {}
        for line in filter(None, lines):
            text = line if isinstance(line, bytes) else b" ".join(line)
            uid, size = _UID.search(text), _SIZE.search(text)
            if uid is not None and size is not None:
                sizes[int(uid[1])] = int(size[1])
        # In order, whatever the server's: what is behind the last one that was kept is never asked for again.
        yield from sorted(sizes.items())


def _take_one(
    database: Database, box: Access, mailbox: BaseMailBox, validity: int, uid: int, size: int, found: Fetched
) -> None:
    whole = size <= MAX_BYTES
    raw = _body(mailbox, uid, "BODY.PEEK[]" if whole else "BODY.PEEK[HEADER]")
    if raw is None:
        # It was taken away meanwhile.
        return
    mail, problem = _read(raw, box.name)
    if not whole:
        mail, problem = (
            Mail(unread(raw, box.name)),
            f"it is too large: {size} bytes, at most {MAX_BYTES} are read",
        )
    place = (validity, uid)
    try:
        event_id = _keep(database, box, place, mail, problem)
    except DataError as error:
        problem = f"it cannot be kept: {error.orig}"
        event_id = _keep(database, box, place, Mail(unread(raw, box.name)), problem)
    if event_id is None:
        found.known += 1
    elif problem is None:
        found.taken += 1
    else:
        found.problems += 1
        logger.warning("tenant %s, mailbox %s, mail %d: %s", box.tenant_id, box.name, uid, problem)
    # What looks like one that came before may be another one: it is left.
    if event_id is not None and problem is None and box.after != "leave":
        _settle(mailbox, uid, box)


def _read(raw: bytes, name: str) -> tuple[Mail, str | None]:
    try:
        return read(raw, name), None
    except Exception as error:
        original = MailFile(uuid4(), "mail.eml", "message/rfc822", raw)
        return Mail(unread(raw, name), [original]), f"it cannot be read: {type(error).__name__}"


def _keep(
    database: Database, box: Access, place: tuple[int, int], mail: Mail, problem: str | None
) -> int | None:
    """Make the event, with its files, and note how far the folder was read; None where the mail came before."""
    tenant_id, one = box.tenant_id, mail.incoming
    with database.tenant(tenant_id) as session:
        event_id = inbox.put(session, tenant_id, one.kind, one.topic, one.data, key=one.key, problem=problem)
        mail_state.advance(session, tenant_id, box.name, box.folder, *place)
        if event_id is None:
            return None
        for file in mail.files:
            mail_files.keep(
                session,
                tenant_id,
                event_id,
                file.id,
                name=file.name,
                content_type=file.content_type,
                content=file.content,
            )
    return event_id


def _settle(mailbox: BaseMailBox, uid: int, box: Access) -> None:
    if box.after == "mark":
        mailbox.flag(str(uid), "\\Seen", value=True)
    else:
        mailbox.delete(str(uid))


def _body(mailbox: BaseMailBox, uid: int, what: str) -> bytes | None:
    _, parts = mailbox.client.uid("FETCH", str(uid), f"({what})")
    return next((_bytes(part) for part in parts if isinstance(part, tuple)), None)


def _bytes(part: Any) -> bytes:
    return bytes(part[1])
