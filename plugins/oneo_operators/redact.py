"""Takes secrets out of whatever is kept or shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oneo.database import plain_json

MASK = "***"


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """`value` as plain JSON, each occurrence of a secret in its texts replaced by `***`."""
    found = sorted((secret for secret in secrets if secret), key=len, reverse=True)
    plain = plain_json(value)
    return _redact(plain, found) if found else plain


def _redact(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {_redact(key, secrets): _redact(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    # A secret that was all digits may have become a number on its way.
    return MASK if str(value) in secrets and not isinstance(value, bool) else value
