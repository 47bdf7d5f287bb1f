"""Mails as they travel (RFC 5322, MIME), in our form. What is wrong with one is noted, and the rest of it is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID, uuid5

from oneo.messaging.addresses import people
from oneo.messaging.files import MailFile, safe_name
from oneo.messaging.html_text import to_text
from oneo.messaging.incoming import EMAIL, Incoming, keepable, short_key, shortened

MAX_FILES = 100
MAX_PARTS = 1000
MAX_TEXT_FILE = 64 * 1024
_SPACE = UUID("6f0c9a04-64a1-4b55-9f1e-6a9f3c1f0d52")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_TEXT_FILES = ("text/", "application/json", "application/xml")


@dataclass
class Mail:
    """A mail that was read.

    Attributes:
        incoming: What becomes the event.
        files: What was attached.
    """

    incoming: Incoming
    files: list[MailFile] = field(default_factory=list)


def read(raw: bytes, mailbox: str) -> Mail:
    """A mail in our form.

    Args:
        raw: The mail as the server keeps it.
        mailbox: The mailbox that it came to.
    """
    message = message_from_bytes(raw)
    key = _key(message, raw)
    problems: list[str] = []
    text, html, files = _contents(message, f"{mailbox}/{key}", problems)
    references = _MESSAGE_ID.findall(_header(message, "References"))
    in_reply_to = next(iter(_MESSAGE_ID.findall(_header(message, "In-Reply-To"))), "")
    message_id = next(iter(_MESSAGE_ID.findall(_header(message, "Message-ID"))), "")
    sender = _people(message, "From")
    if not sender:
        problems.append("it has no sender")
    data: dict[str, Any] = {
        "message_id": message_id,
        "mailbox": mailbox,
        "from": sender[0] if sender else {"address": "", "name": ""},
        "to": _people(message, "To"),
        "cc": _people(message, "Cc"),
        "bcc": [],
        "reply_to": _people(message, "Reply-To"),
        "delivered_to": _people(message, "Delivered-To", "X-Original-To", "Envelope-To"),
        "subject": shortened(_header(message, "Subject")),
        "date": _date(message, problems),
        "text": shortened(text or to_text(html)),
        "html": shortened(html),
        "in_reply_to": in_reply_to,
        "references": references,
        "thread_id": next(iter([*references, in_reply_to, message_id]), "") or message_id,
        "attachments": [_about(one) for one in files],
        "is_automatic": _is_automatic(message),
        "problems": problems,
    }
    return Mail(Incoming(EMAIL, mailbox, key, keepable(data)), files)


def unread(raw: bytes, mailbox: str) -> Incoming:
    """A mail of which no more than the head is read: too large, or in a form that cannot be read."""
    message = BytesHeaderParser().parsebytes(raw)
    data = {"mailbox": mailbox, "from": (_people(message, "From") or [{}])[0]}
    subject = shortened(_header(message, "Subject"))
    return Incoming(EMAIL, mailbox, _key(message, raw), keepable({**data, "subject": subject}))


def _key(message: Message, raw: bytes) -> str:
    """The mail's own id; of one without, a hash of all of it: the same mail has the same one in every folder."""
    found = _MESSAGE_ID.search(_header(message, "Message-ID"))
    return short_key(found[0]) if found else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _contents(message: Message, address: str, problems: list[str]) -> tuple[str, str, list[MailFile]]:
    texts: list[str] = []
    htmls: list[str] = []
    files: list[MailFile] = []
    for number, part in enumerate(_parts(message)):
        if number >= MAX_PARTS or len(files) >= MAX_FILES:
            problems.append(
                f"it has more than {MAX_FILES} files or {MAX_PARTS} parts; the others are left out"
            )
            break
        kind = part.get_content_type()
        problems.extend(type(defect).__name__ for defect in part.defects)
        is_file = part.get_content_disposition() == "attachment" or bool(part.get_filename())
        if kind in ("text/plain", "text/html") and not is_file:
            (texts if kind == "text/plain" else htmls).append(_text(part))
            continue
        content = _bytes(part)
        name = safe_name(_decoded(part.get_filename() or ""), kind)
        files.append(MailFile(uuid5(_SPACE, f"{address}/{number}"), name, kind, content))
    return "\n".join(texts).strip(), "\n".join(htmls), files


def _parts(message: Message) -> Iterator[Message]:
    """The leaves of a mail; a mail that was forwarded as an attachment is one leaf."""
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _parts(part)
        return
    yield message


def _bytes(part: Message) -> bytes:
    if part.get_content_maintype() == "message" and part.is_multipart():
        return b"".join(one.as_bytes() for one in part.get_payload() if isinstance(one, Message))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    return _in_charset(_bytes(part), part.get_content_charset("utf-8"))


def _in_charset(content: bytes, charset: str) -> str:
    try:
        text = content.decode(charset)
    except (LookupError, UnicodeDecodeError, ValueError):
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _about(found: MailFile) -> dict[str, Any]:
    about: dict[str, Any] = {
        "id": str(found.id),
        "name": found.name,
        "content_type": found.content_type,
        "size": len(found.content),
    }
    if found.content_type.startswith(_TEXT_FILES) and len(found.content) <= MAX_TEXT_FILE:
        about["text"] = _in_charset(found.content, "utf-8")
    return about


def _people(message: Message, *names: str) -> list[dict[str, str]]:
    # Taken apart before it is decoded: a name that decodes to `a@b.c, d@e.f` stays a name.
    return [{**one, "name": _decoded(one["name"])} for one in people(_values(message, *names))]


def _header(message: Message, name: str) -> str:
    return _decoded(next(iter(_values(message, name)), ""))


def _values(message: Message, *names: str) -> list[str]:
    """A header's values; bytes that are no ASCII are UTF-8, as most who send them mean."""
    wanted = {name.lower() for name in names}
    return [
        str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in message.raw_items()
        if name.lower() in wanted
    ]


def _decoded(value: str) -> str:
    """A header's text on one line, its encoded words decoded."""
    try:
        parts = [
            _in_charset(part, charset or "utf-8") if isinstance(part, bytes) else part
            for part, charset in decode_header(value)
        ]
    except (ValueError, LookupError):
        parts = [value]
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _date(message: Message, problems: list[str]) -> str | None:
    value = _header(message, "Date")
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        if value:
            problems.append("its date cannot be read")
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _is_automatic(message: Message) -> bool:
    """Whether nobody wrote it: an automatic reply, or the report of a mail that could not be delivered."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return submitted == "auto-replied" or _header(message, "Return-Path") == "<>"
