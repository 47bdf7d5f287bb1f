"""JSON from outside: nothing that two readers could understand differently, and nothing that cannot be kept."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
# PostgreSQL keeps no NUL, and half a surrogate pair is no character.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, is nested too deep, has a key twice, a number that is not finite or a character that
            cannot be kept.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    _check(value)
    return value


def check_text(text: str) -> str:
    """The text itself.

    Raises:
        ValueError: It has a character that cannot be kept.
    """
    found = _UNKEEPABLE.search(text)
    if found is not None:
        raise ValueError(f"character {found.start() + 1} is U+{ord(found[0]):04X}, which cannot be kept")
    return text


def _check(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        for text in (one for one in level if isinstance(one, str)):
            check_text(text)
        if not any(isinstance(one, dict | list) for one in level):
            return
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in ([*one, *one.values()] if isinstance(one, dict) else one)
        ]
    raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands there twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # Python reads only so many digits.
        raise ValueError(f"the number {text[:40]} is too large") from None
