"""Texts for messages and logs, without credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

MASK = "***"
_SECRET_WORD = r"token|key|secret|passw|pwd|auth|sig|credential|session|jwt"  # noqa: S105 - names, no values
_SECRET_NAME = re.compile(_SECRET_WORD, re.IGNORECASE)
_QUERY_ITEM = re.compile(r"([?&])([^=&]*)=([^&]*)")
# `"api_key": "abc"`, `token=abc` and `Authorization: Bearer abc`, as they stand in the body of an answer.
_SECRET_IN_TEXT = re.compile(
    rf"""(\b[\w-]*(?:{_SECRET_WORD})[\w-]*["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|(?:\w+\ )?[^\s,;&"'}}]+)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def is_secret_name(name: str) -> bool:
    """Whether a query parameter, header or field of this name is likely to hold a credential."""
    return _SECRET_NAME.search(name) is not None


def secret_query_values(query: str) -> list[str]:
    """The values in a query string that messages must not show, as sent."""
    return [value for name, value in parse_qsl(query, keep_blank_values=True) if is_secret_name(name)]


def redact_path(path: str) -> str:
    """A path and query with credentials masked.

    Incoming webhooks of Slack, Discord and Telegram carry theirs in the path, so a long segment that mixes
    letters and digits is masked as well, unless it is a UUID.
    """
    bare, mark, query = path.partition("?")
    segments = [MASK if _looks_random(segment) else segment for segment in bare.split("/")]
    masked = _QUERY_ITEM.sub(_mask_item, mark + query)
    return _CONTROL.sub(" ", "/".join(segments) + masked)


def redact_url(url: str) -> str:
    """A URL nobody has checked yet, fit for a message: no credentials, no fragment, at most 200 characters."""
    head, scheme_end, rest = url.partition("://")
    if not scheme_end:
        head, rest = "", url
    authority, slash, path = re.sub("[\\\\?]", lambda found: "/" + found[0], rest, count=1).partition("/")
    shown = authority.rpartition("@")[2] + redact_path((slash + path).partition("#")[0])
    shown = shown.replace("/?", "?", 1) if slash and path.startswith("?") else shown
    return _CONTROL.sub(" ", f"{head}{scheme_end}{shown}")[:200]


def scrub(text: str, secrets: Iterable[str] = (), *, limit: int = 500) -> str:
    """The beginning of a foreign text, fit for a message.

    Args:
        text: What the other side wrote.
        secrets: Values known to be credentials; masked wherever they occur.
        limit: Characters kept.
    """
    shown = text[: limit * 4]
    for secret in sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True):
        shown = shown.replace(secret, MASK)
    shown = _BEARER.sub(rf"\1 {MASK}", _SECRET_IN_TEXT.sub(rf"\1{MASK}", shown))
    return _CONTROL.sub(" ", shown).strip()[:limit]


def _mask_item(item: re.Match[str]) -> str:
    mark, name, value = item.groups()
    return f"{mark}{name}={MASK if value and is_secret_name(name) else value}"


def _looks_random(segment: str) -> bool:
    return (
        len(segment) >= 20
        and any(character.isdigit() for character in segment)
        and any(character.isalpha() for character in segment)
        and _UUID.fullmatch(segment) is None
    )
