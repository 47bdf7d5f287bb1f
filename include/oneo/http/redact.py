"""Texts for messages and logs, without credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote_plus

MASK = "***"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_WORD = re.compile(
    r".*(token|secret|password|passwd|credential|key|signature)s?"
    r"|auth|authorization|authentication|bearer|cookie|jwt|pass|passphrase|pwd|session|sessionid|sig",
    re.IGNORECASE,
)
_QUERY_ITEM = re.compile(r"([?&])([^=&]*)=([^&]*)")
# `"api_key": "abc"`, `token=abc` and `Authorization: Bearer abc`, as they stand in the body of an answer.
_NAME_IN_TEXT = re.compile(r"""([A-Za-z_][\w-]{0,80})["']?\s{0,3}[:=]\s{0,3}""")
_VALUE_IN_TEXT = re.compile(r""""[^"]*"?|'[^']*'?|(?:\w+ )?[^\s,;&"'}<]+""")
_BEARER = re.compile(r"\b(bearer|basic) +[\w.~+/=-]{6,}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://|//)?([^/\\?#]*)([^#]*)", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a query parameter, header or field of this name is likely to hold a credential."""
    return any(_SECRET_WORD.fullmatch(word) for word in _WORD.findall(name))


def secret_query_values(path: str) -> list[str]:
    """The values in the query of a path that messages must not show."""
    items = parse_qsl(path.partition("?")[2])
    return [value for name, value in items if is_secret_name(name)]


def redact_path(path: str) -> str:
    """A path and query with credentials masked.

    Incoming webhooks of Slack, Discord and Telegram carry theirs in the path, so a long segment that mixes
    letters and digits is masked as well, unless it is a UUID.
    """
    bare, mark, query = path.partition("?")
    segments = [MASK if _looks_random(segment) else segment for segment in bare.split("/")]
    return "/".join(segments) + _QUERY_ITEM.sub(_mask_query_item, mark + query)


def redact_url(url: str) -> str:
    """A URL nobody has checked yet, fit for a message: no credentials, no fragment, at most 200 characters."""
    found = _URL.match(url)
    scheme, authority, path = found.groups("") if found else ("", "", "")
    return _CONTROL.sub(" ", scheme + authority.rpartition("@")[2] + redact_path(path))[:200]


def scrub(text: str, secrets: Iterable[str] = (), *, limit: int = 500) -> str:
    """The beginning of a foreign text, fit for a message.

    Args:
        text: What the other side wrote.
        secrets: Values known to be credentials; masked wherever they occur.
        limit: Characters kept.
    """
    for secret in sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _BEARER.sub(rf"\1 {MASK}", _mask_items(text[: limit * 4]))
    return _CONTROL.sub(" ", text).strip()[:limit]


def _mask_query_item(item: re.Match[str]) -> str:
    mark, name, value = item.groups()
    return f"{mark}{name}={MASK if value and is_secret_name(unquote_plus(name)) else value}"


def _mask_items(text: str) -> str:
    """Mask the values of secret names. The value of another name is looked into: it may hold `token=abc`."""
    kept: list[str] = []
    position = 0
    while found := _NAME_IN_TEXT.search(text, position):
        kept.append(text[position : found.end()])
        position = found.end()
        value = _VALUE_IN_TEXT.match(text, position) if is_secret_name(found[1]) else None
        if value is not None:
            kept.append(MASK)
            position = value.end()
    return "".join(kept) + text[position:]


def _looks_random(segment: str) -> bool:
    return (
        len(segment) >= 20
        and any(character.isdigit() for character in segment)
        and any(character.isalpha() for character in segment)
        and _UUID.fullmatch(segment) is None
    )
