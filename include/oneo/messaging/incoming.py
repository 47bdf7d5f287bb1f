"""The form in which mail and messages become events."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EMAIL = "email"
LINKEDIN = "linkedin"
WHATSAPP = "whatsapp"

# PostgreSQL keeps no NUL, and half a surrogate pair is no character.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_MAX_KEY = 200
_MAX_TEXT = 256 * 1024


@dataclass(frozen=True)
class Incoming:
    """A mail or message.

    Attributes:
        kind: `email`, `linkedin` or `whatsapp`.
        topic: The account or mailbox that it came to.
        key: What its sender calls it; the same one again is the same mail or message.
        data: What triggers and workflows get to know.
    """

    kind: str
    topic: str
    key: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Unwanted:
    """Something that is true but no mail or message to start on.

    Attributes:
        event: What its sender calls it.
        reason: Why it starts nothing.
        is_known: Whether it is of a kind that we leave alone on purpose.
    """

    event: str
    reason: str
    is_known: bool = True


def keepable(value: Any) -> Any:
    """The value as it can be kept: characters that the database does not take are replaced."""
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {keepable(str(name)): keepable(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [keepable(held) for held in value]
    return value


def shortened(text: str) -> str:
    """The text, cut where it is longer than anybody reads: it is kept with the event and the execution."""
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def short_key(text: str) -> str:
    """The text as a key; a long one by its hash, since an index holds only so much."""
    text = keepable(text)
    return text if len(text) <= _MAX_KEY else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
