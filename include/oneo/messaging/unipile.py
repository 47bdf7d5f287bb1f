"""What UniPile's webhooks (v1) say, in our form.

Its documentation and what it really sends differ in places, e.g. `id`/`attachment_id`: both are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneo.errors import UserError
from oneo.messaging.addresses import digits, is_address, plain
from oneo.messaging.html_text import to_text
from oneo.messaging.incoming import (
    EMAIL,
    LINKEDIN,
    WHATSAPP,
    Incoming,
    Unwanted,
    keepable,
    short_key,
    shortened,
)

# The Airflow connection of a tenant that its webhooks prove themselves by, and its answers go out through.
CONNECTION = "oneo_unipile"
_KINDS = {"LINKEDIN": LINKEDIN, "WHATSAPP": WHATSAPP}
_DEGREES = {"SELF": 0, "DISTANCE_1": 1, "DISTANCE_2": 2, "DISTANCE_3": 3}
_MEDIA = {"img": "image", "image": "image", "video": "video", "audio": "audio", "file": "file"}
_LEFT_ALONE = {
    "message_reaction",
    "message_read",
    "message_edited",
    "message_deleted",
    "message_delivered",
    "mail_sent",
    "mail_moved",
    "mail_opened",
    "mail_link_clicked",
}


def read(payload: Mapping[str, Any]) -> Incoming | Unwanted:
    """A webhook's payload as mail or message.

    Raises:
        UserError: It is one, but lacks what every one has; all of it is named.
    """
    event = _text(payload, "event", "event_type") or next(iter(payload), "")
    if event == "mail_received":
        return _mail(payload)
    if event == "message_received":
        return _message(payload)
    if event in _LEFT_ALONE:
        return Unwanted(event, f"{event} starts no workflow")
    return Unwanted(event, f"there is no event {event!r}", is_known=False)


def _message(payload: Mapping[str, Any]) -> Incoming | Unwanted:
    account_type = _text(payload, "account_type").upper()
    kind = _KINDS.get(account_type)
    if kind is None:
        reason = f"messages of the network {account_type!r} start no workflow"
        return Unwanted("message_received", reason, is_known=False)
    _require(payload, "message_id", "account_id", "chat_id")
    sender, own = _part(payload, "sender"), _part(payload, "account_info")
    if _is_own(payload, sender, own):
        return Unwanted("message_received", "it is the account's own")
    attachments = [_attachment(one) for one in _parts(payload, "attachments")]
    message_id, account_id = _text(payload, "message_id"), _text(payload, "account_id")
    data = {
        "message_id": message_id,
        "chat_id": _text(payload, "chat_id"),
        "account_id": account_id,
        "account": {"id": _text(own, "user_id"), "phone": _own_phone(own)},
        "sender": _person(sender),
        "text": shortened(_text(payload, "message")),
        "subject": _text(payload, "subject"),
        "types": _linkedin_types(payload) if kind == LINKEDIN else _whatsapp_types(attachments),
        "attachments": attachments,
        "is_group": payload.get("is_group") is True,
        "sent_at": _text(payload, "timestamp"),
    }
    return Incoming(kind, account_id, short_key(message_id), keepable(data))


def _mail(payload: Mapping[str, Any]) -> Incoming:
    _require(payload, "email_id", "account_id")
    sender = _mail_person(_part(payload, "from_attendee"))
    html, text = _text(payload, "body"), _text(payload, "body_plain")
    in_reply_to = _text(_part(payload, "in_reply_to"), "message_id", "id") or _text(payload, "in_reply_to")
    message_id, email_id, mailbox = (
        _text(payload, name) for name in ("message_id", "email_id", "account_id")
    )
    data = {
        "message_id": message_id,
        "email_id": email_id,
        "mailbox": mailbox,
        "from": sender or {"address": "", "name": ""},
        **{name: _mail_people(payload, f"{name}_attendees") for name in ("to", "cc", "bcc", "reply_to")},
        "delivered_to": [],
        "subject": _text(payload, "subject"),
        "date": _text(payload, "date"),
        "text": shortened(text or to_text(html)),
        "html": shortened(html),
        "in_reply_to": in_reply_to,
        "references": [],
        "thread_id": _text(payload, "thread_id") or in_reply_to or message_id,
        "attachments": [_attachment(one) for one in _parts(payload, "attachments")],
        "is_automatic": False,
        "problems": [],
    }
    return Incoming(EMAIL, mailbox, short_key(email_id), keepable(data))


def _is_own(payload: Mapping[str, Any], sender: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    if payload.get("is_sender") is True:
        return True
    user = _text(own, "user_id")
    return bool(user) and user in {
        _text(sender, name) for name in ("attendee_provider_id", "attendee_public_identifier")
    }


def _person(found: Mapping[str, Any]) -> dict[str, Any]:
    specifics = _part(found, "attendee_specifics")
    # WhatsApp's newer ids (`…@lid`) are no numbers.
    ids = [_text(found, name) for name in ("attendee_public_identifier", "attendee_provider_id")]
    numbers = [_text(specifics, "phone_number"), *(one for one in ids if one.endswith("@s.whatsapp.net"))]
    return {
        "id": _text(found, "attendee_provider_id", "attendee_id"),
        "name": _text(found, "attendee_name"),
        "phone": next((f"+{digits(one)}" for one in numbers if digits(one)), ""),
        "profile_url": _text(found, "attendee_profile_url"),
        "degree": _DEGREES.get(_text(specifics, "network_distance")),
    }


def _own_phone(own: Mapping[str, Any]) -> str:
    user = _text(own, "user_id")
    number = _text(own, "phone_number") or (user if user.endswith("@s.whatsapp.net") else "")
    return f"+{digits(number)}" if digits(number) else ""


def _linkedin_types(payload: Mapping[str, Any]) -> list[str]:
    content = _text(payload, "chat_content_type", "content_type", "message_type").lower()
    return [content if content in ("inmail", "sponsored") else "message"]


def _whatsapp_types(attachments: list[dict[str, Any]]) -> list[str]:
    if not attachments:
        return ["text"]
    return ["media", *dict.fromkeys(str(one["type"]) for one in attachments)]


def _attachment(found: Mapping[str, Any]) -> dict[str, Any]:
    kind = _text(found, "attachment_type", "type").lower()
    size = found.get("size")
    return {
        "id": _text(found, "attachment_id", "id"),
        "name": _text(found, "file_name", "attachment_name", "name"),
        "content_type": _text(found, "mimetype", "mime", "content_type"),
        "type": _MEDIA.get(kind, "file"),
        "size": size if isinstance(size, int) else None,
    }


def _mail_people(payload: Mapping[str, Any], name: str) -> list[dict[str, str]]:
    return [person for one in _parts(payload, name) if (person := _mail_person(one))]


def _mail_person(found: Mapping[str, Any]) -> dict[str, str] | None:
    address = _text(found, "identifier")
    return {"address": plain(address), "name": _text(found, "display_name")} if is_address(address) else None


def _require(payload: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if not _text(payload, name)]
    if missing:
        raise UserError(
            f"{_text(payload, 'event')}: {', '.join(missing)} missing or empty",
            hint="these are in every webhook that UniPile sends",
        )


def _text(found: Mapping[str, Any], *names: str) -> str:
    """The first of the values that is a text (or a number, as text) and not empty."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return ""


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _parts(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; UniPile's documentation shows a single one where it means a list."""
    value = found.get(name)
    if isinstance(value, dict):
        return [value] if value else []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
