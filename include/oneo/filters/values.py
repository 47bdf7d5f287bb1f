"""How filters compare values, the same in memory as in SQL: numbers exactly, times as moments."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

# Columns that hold a time; every other field holds JSON.
TIMES = frozenset({"created_at", "updated_at"})
# ISO 8601 as the database's `moment_of` reads it.
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?"
)
# Far beyond any amount, far below what PostgreSQL's numeric and Python's own limits refuse.
_MAX_BITS = 4096
# What the index of record values holds of a text, and which numbers it tells apart.
TEXT_LENGTH = 200
_LARGEST, _SMALLEST = 1.7e308, 1e-300
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def plain(value: Any) -> Any:
    """A value as JSON has it: dates as ISO 8601, decimals as numbers, ids as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def is_number(value: Any) -> bool:
    """Whether the value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def entry_value(value: Any) -> Any:
    """A text, number or bool as the index of record values has it: narrower than JSON."""
    if isinstance(value, str):
        return value[:TEXT_LENGTH]
    if isinstance(value, bool):
        return float(value)
    if abs(value) >= _LARGEST:
        return _LARGEST if value > 0 else -_LARGEST
    return 0.0 if abs(value) < _SMALLEST else float(value)


def is_scalar(value: Any) -> bool:
    """Whether the value is null, a text, a number or a bool."""
    return value is None or isinstance(value, str | int | float | bool)


def unusable(value: Any) -> str | None:
    """Why no stored value can be compared with this one, or None where it can."""
    if isinstance(value, str):
        if "\x00" in value:
            return "the text holds a NUL character"
        if not value.isascii() and _HALF_CHARACTER.search(value):
            return "the text holds half a character (a lone surrogate)"
        return None
    if isinstance(value, list):
        return next((reason for one in value if (reason := unusable(one))), None)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not a finite number"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "the number is too large"
    return None


def exact(number: float) -> Decimal:
    """A number as PostgreSQL compares it: by its decimal digits, not by its nearest binary fraction."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def moment(value: Any) -> datetime | None:
    """A time written as ISO 8601 (without a zone: UTC), or None where it is none."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def held_moment(value: Any) -> datetime | None:
    """The time that a record's field holds, or None where it holds none."""
    return moment(value) if isinstance(value, str) and _ISO.fullmatch(value) else None
