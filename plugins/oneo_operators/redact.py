"""Takes secrets out of whatever is kept or shown, and brings it into a form that can be kept."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from oneo.database import to_json

MASK = "***"
# A shorter one is no secret, and masking every "1" would spoil ids and dates. As a whole value it is masked.
MIN_LENGTH = 4
# PostgreSQL keeps no NUL, and half a surrogate pair is no character.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """`value` as plain JSON that the store can keep, each occurrence of a secret in its texts replaced by `***`.

    Raises:
        TypeError: It holds something that JSON does not know.
        ValueError: It holds a number that is not finite.
    """
    text = to_json(value)
    plain = json.loads(text)
    whole = {secret for secret in secrets if secret}
    if not whole and "\\u0000" not in text and not _UNKEEPABLE.search(text):
        return plain
    inside = {spelling for secret in whole if len(secret) >= MIN_LENGTH for spelling in _spellings(secret)}
    return _redact(plain, whole, sorted(inside, key=len, reverse=True))


def _spellings(secret: str) -> set[str]:
    """A secret as it may come back: plain, inside JSON, inside Python's quotes, inside a URL, as Base64."""
    octets = secret.encode("utf-8", "replace")
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(octets),
        quote(octets, safe=""),
        quote_plus(octets),
        b64encode(octets).decode().rstrip("="),
    }


def _redact(value: Any, whole: set[str], inside: list[str]) -> Any:
    if isinstance(value, dict):
        return {_redact(key, whole, inside): _redact(item, whole, inside) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, whole, inside) for item in value]
    if isinstance(value, str):
        if value in whole:
            return MASK
        for spelling in inside:
            value = value.replace(spelling, MASK)
        return _UNKEEPABLE.sub("\ufffd", value)
    # A secret that was all digits may have become a number on its way.
    return MASK if not isinstance(value, bool) and str(value) in whole else value
