"""Takes secrets out of whatever is kept or shown, and brings it into a form that can be kept."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any
from urllib.parse import quote, quote_plus

from oneo.database import to_json

MASK = "***"
# A shorter one is no secret, and masking every "1" would spoil ids and dates. As a whole value it is masked.
MIN_LENGTH = 4
# As part of a Base64 text fewer characters would be found by chance.
_MIN_BASE64 = 8
# A piece of a secret is one, too; shorter ones, and less than half of it, are found by chance.
_MIN_PIECE = 8
_MAX_COMPARED = 10_000
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
    return _redact(plain, whole, _pattern(whole))


def pieces_in(value: Any, secrets: Iterable[str]) -> Iterator[str]:
    """Larger pieces of secrets in texts that were made from them, say by `replace` or `truncate`."""
    for text in _texts(value):
        for secret in secrets:
            if secret in text or len(text) > _MAX_COMPARED:
                continue
            least = max(_MIN_PIECE, len(secret) // 2)
            for block in SequenceMatcher(None, secret, text, autojunk=False).get_matching_blocks():
                if block.size >= least:
                    yield text[block.b : block.b + block.size]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _pattern(secrets: set[str]) -> re.Pattern[str] | None:
    inside = {one for secret in secrets if len(secret) >= MIN_LENGTH for one in _spellings(secret)}
    if not inside:
        return None
    longest_first = sorted(inside, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _spellings(secret: str) -> set[str]:
    """A secret as it may come back, in whatever case.

    Plain, inside JSON, Python's quotes, HTML or a URL, as a slug, as octets, or as part of a Base64 text.
    """
    octets = secret.encode("utf-8", "replace")
    slug = re.sub(r"[^a-z0-9]+", "-", secret.lower()).strip("-")
    found = {
        secret,
        # Some letters change their number with their case.
        secret.upper(),
        secret.lower(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        quote(octets),
        quote(octets, safe=""),
        quote_plus(octets),
        octets.hex(),
        b64encode(octets).decode().rstrip("="),
        *_base64_parts(octets),
    }
    # A slug that keeps little of it would be found everywhere.
    return found | {slug} if len(slug) >= max(MIN_LENGTH, len(secret) - 2) else found


def _base64_parts(octets: bytes) -> Iterator[str]:
    """What is the same in every Base64 text whose content holds the octets, such as `user:password`."""
    for before in range(3):
        # The first characters mix with what stands before, the last with what stands behind.
        start = (0, 2, 3)[before]
        end = (before + len(octets)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            part = encode(bytes(before) + octets).decode()[start:end]
            if len(part) >= _MIN_BASE64:
                yield part


def _redact(value: Any, whole: set[str], inside: re.Pattern[str] | None) -> Any:
    if isinstance(value, dict):
        return {_redact(key, whole, inside): _redact(item, whole, inside) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, whole, inside) for item in value]
    if isinstance(value, str):
        if value in whole:
            return MASK
        if inside is not None:
            value = inside.sub(MASK, value)
        return _UNKEEPABLE.sub("\ufffd", value)
    # A secret that was all digits may have become a number on its way.
    return MASK if not isinstance(value, bool) and str(value) in whole else value
