"""Kinds of columns, by PostgreSQL's names of their types: which field they can hold, and how a value is written.

Every value goes to the database as text, which the column's own type reads: a column of any type can be written
without a cast built from names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from oneo.database import to_json
from oneo.errors import InvalidRecordError
from oneo.filters.values import exact, is_number, moment

INTEGERS = {"int2": 15, "int4": 31, "int8": 63}
NUMBERS = ("numeric", "float4", "float8")
TEXTS = ("text", "varchar", "bpchar", "citext", "name")
TIMES = ("date", "timestamp", "timestamptz")
JSON = ("json", "jsonb")
ENUM = "enum"
# Types of fields that a column of a kind can hold; the first is what it is where nobody says.
_FIELD_TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(INTEGERS, ("integer", "number")),
    **dict.fromkeys(NUMBERS, ("number", "integer")),
    **dict.fromkeys(TEXTS, ("text", "email", "phone", "url", "select")),
    **dict.fromkeys(JSON, ("json", "list")),
    "uuid": ("text",),
    ENUM: ("select", "text"),
    "bool": ("boolean",),
    "date": ("date",),
    "timestamp": ("datetime",),
    "timestamptz": ("datetime",),
}
_IN_ARRAYS = (*INTEGERS, *NUMBERS, *TEXTS, "uuid", "bool")
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


def field_types(kind: str) -> tuple[str, ...]:
    """Types of fields that a column of a kind can hold; none where it can hold no field."""
    if kind.startswith("_"):
        return ("list",) if kind[1:] in _IN_ARRAYS else ()
    return _FIELD_TYPES.get(kind, ())


def whole(kind: str, value: Any) -> int | None:
    """A number or its text as a whole number that a column of a kind can hold; None where it cannot."""
    if isinstance(value, str):
        found = int(value) if _WHOLE.fullmatch(value) else None
    else:
        found = int(value) if is_number(value) and value == int(value) else None
    bits = INTEGERS[kind]
    return found if found is not None and -(2**bits) <= found < 2**bits else None


def written(name: str, kind: str, value: Any, *, from_text: bool = False) -> str | None:
    """A value as the text that a column reads; None for null.

    Args:
        name: The field's name, for messages.
        kind: The column's kind.
        value: The value, plain JSON.
        from_text: Whether a number may come as text, as owner and stage do.

    Raises:
        InvalidRecordError: The column cannot hold it.
    """
    if value is None:
        return None
    if kind in JSON:
        return to_json(value)
    if kind.startswith("_"):
        return _array(name, kind[1:], value)
    found = _scalar(kind, value, from_text=from_text)
    if found is None:
        raise InvalidRecordError(
            f"field {name!r}: its column of type {kind} cannot hold {_shown(value)}",
            hint=f"give {_WANTED.get(kind, 'a text')}, or null",
        )
    return found


_WANTED = {
    **dict.fromkeys(INTEGERS, "a whole number within the type's bounds"),
    **dict.fromkeys(NUMBERS, "a number"),
    **dict.fromkeys(TIMES, "a time as ISO 8601"),
    "bool": "true or false",
    "uuid": "a UUID",
}


def _scalar(kind: str, value: Any, *, from_text: bool) -> str | None:
    if kind in INTEGERS:
        number = whole(kind, value) if from_text or not isinstance(value, str) else None
        return None if number is None else str(number)
    if kind in NUMBERS:
        return format(exact(value), "f") if is_number(value) else None
    if kind in TIMES:
        return _time(kind, value)
    if kind == "bool":
        return str(value).lower() if isinstance(value, bool) else None
    if kind == "uuid":
        return None if uuid_of(value) is None else str(value)
    return value if isinstance(value, str) else None


def _time(kind: str, value: Any) -> str | None:
    found = moment(value) if isinstance(value, str) else None
    if found is None:
        return None
    if kind == "date":
        return str(value)[:10]
    found = found.astimezone(UTC)
    return (found if kind == "timestamptz" else found.replace(tzinfo=None)).isoformat()


def _array(name: str, kind: str, value: Any) -> str:
    if not isinstance(value, list):
        raise InvalidRecordError(f"field {name!r}: its column holds a list, got {_shown(value)}")
    return "{" + ",".join(_elements(name, kind, value)) + "}"


def _elements(name: str, kind: str, values: Iterable[Any]) -> Iterable[str]:
    for one in values:
        text = written(name, kind, one)
        yield "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def uuid_of(value: Any) -> UUID | None:
    """A text as a UUID; None where it is none."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def number_of(value: Any) -> Decimal | None:
    """A number as the database compares it; None for anything else."""
    return exact(value) if is_number(value) else None
