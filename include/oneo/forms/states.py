"""What a page hands out with a form: when it was opened and what its submission is called, signed by the link."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

MIN_AGE = timedelta(seconds=2)
MAX_AGE = timedelta(days=1)
_STATE = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class State:
    """A state that the link has signed.

    Attributes:
        submission_id: What a submission with it is called: sent twice, it is one.
        age: How long ago the page was opened.
    """

    submission_id: UUID
    age: timedelta


def issue(key: bytes, now: datetime) -> str:
    """A new state.

    Args:
        key: The link's.
        now: The moment the page is opened.
    """
    told = f"{secrets.token_hex(16)}.{int(now.timestamp())}"
    return f"{told}.{_signature(key, told)}"


def read(key: bytes, text: str, now: datetime) -> State | None:
    """The state of a submission; None where the link has not signed it."""
    found = _STATE.fullmatch(text)
    if found is None:
        return None
    nonce, moment, signature = found.groups()
    if not hmac.compare_digest(signature, _signature(key, f"{nonce}.{moment}")):
        return None
    return State(UUID(hex=nonce), now - datetime.fromtimestamp(int(moment), UTC))


def _signature(key: bytes, told: str) -> str:
    return hmac.new(key, told.encode(), "sha256").hexdigest()
