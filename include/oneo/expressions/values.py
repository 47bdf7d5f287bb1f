"""What values are: their kinds, their text, their size, their truth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.budget import Budget
from oneo.expressions.calendar import iso_duration
from oneo.expressions.scope import Lazy

MAX_DATA_DEPTH: Final = 200
"""Deepest data that is shown as text or compared."""

MAX_INTEGER: Final = 10**30
_MAX_EXPONENT: Final = 400
_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true/false"),
    (str, "text"),
    ((int, float, Decimal), "a number"),
    (datetime, "a date and time"),
    (date, "a date"),
    (timedelta, "a duration"),
    ((list, tuple), "a list"),
    (Mapping, "an object"),
)
EXACT_TYPES: Final = frozenset(
    (str, int, float, bool, type(None), dict, list, datetime, date, timedelta, Decimal, tuple)
)
"""Values of these types are taken as they are."""

QUICK_TYPES: Final = EXACT_TYPES - {dict}
"""Of those, the ones that cannot hold a lazy field."""


def kind(value: Any) -> str:
    """What a value is, in an author's words."""
    if value is None:
        return "empty (null)"
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}, which expressions cannot use"


def admitted(value: Any) -> Any:
    """The value, if it is of a kind that expressions know."""
    if type(value) is dict and Lazy in map(type, value.values()):
        return {key: part.get() if isinstance(part, Lazy) else part for key, part in value.items()}
    if type(value) in EXACT_TYPES:
        return value
    if isinstance(value, Lazy):
        return admitted(value.get())
    if isinstance(value, str | int | float | Decimal | date | timedelta | Mapping | list | tuple):
        return value
    raise ExpressionError(f"this value is {kind(value)}")


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are not."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def number_from_text(value: str) -> int | float | None:
    """The number a text plainly is, such as `85` or `-2.50`, or None."""
    stripped = value.strip()
    if not _PLAIN_NUMBER.fullmatch(stripped):
        return None
    return float(stripped) if "." in stripped else int(stripped)


def moment_from_text(value: str, zone: tzinfo) -> date | datetime | None:
    """The date or moment an ISO 8601 text is, or None. Moments without a zone are in `zone`."""
    stripped = value.strip()
    if not 8 <= len(stripped) <= 40:
        return None
    try:
        if len(stripped) <= 10:
            return date.fromisoformat(stripped)
        moment = datetime.fromisoformat(stripped)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def as_moment(value: date, zone: tzinfo) -> datetime:
    """A date as the midnight it begins with; a moment as itself, with a zone."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    return datetime(value.year, value.month, value.day, tzinfo=zone)


def text(value: Any, budget: Budget) -> str:
    """A value as it appears within text: null is nothing, dates are ISO 8601, lists and objects JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(checked_number(value))
    if isinstance(value, float | Decimal):
        return _plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, Mapping | list | tuple):
        return json_text(value, budget)
    if isinstance(value, Lazy):
        return text(value.get(), budget)
    raise ExpressionError(f"this value is {kind(value)}")


def json_text(value: Any, budget: Budget, indent: int | None = None) -> str:
    """A value as JSON text, compact unless `indent` is given."""
    measure(value, items=budget.items, characters=budget.text)
    separators = (",", ":") if indent is None else None
    try:
        made = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            separators=separators,
            indent=indent,
            default=_json_default,
        )
    except (ValueError, TypeError) as exc:
        raise ExpressionError(f"this value cannot be written as JSON: {exc}") from exc
    if len(made) > budget.text:
        raise too_large(f"more than {budget.text:,} characters")
    return made


def measure(value: Any, *, items: int, characters: int) -> int:
    """The weight of a value in steps; refused where it is larger or deeper than allowed, shared parts each time."""
    counted = length = 0
    pending = [(value, 0)]
    while pending:
        current, depth = pending.pop()
        if isinstance(current, str):
            length += len(current)
        elif isinstance(current, Mapping | list | tuple):
            counted += len(current)
            if depth >= MAX_DATA_DEPTH:
                raise too_large(f"nested more than {MAX_DATA_DEPTH} levels deep")
            if counted > items:
                raise too_large(f"more than {items:,} items")
            if isinstance(current, Mapping):
                length += sum(len(key) for key in current if isinstance(key, str))
                current = current.values()
            pending.extend((part, depth + 1) for part in current)
        if length > characters:
            raise too_large(f"more than {characters:,} characters")
    return counted + (length >> 10)


def too_large(size: str) -> ExpressionError:
    """The error about a value over budget."""
    return ExpressionError(f"the value is too large: {size}", hint="work on a smaller part of the data")


def checked_number(value: Any) -> Any:
    """A number, if it is finite and of a size that expressions compute with."""
    if isinstance(value, int):
        if -MAX_INTEGER < value < MAX_INTEGER:
            return value
    elif isinstance(value, float):
        if value - value == 0.0:
            return value
    elif value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT:
        return value
    raise ExpressionError("the number is out of range", hint="whole numbers have at most 30 digits")


def _plain(value: float | Decimal) -> str:
    checked_number(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    shown = repr(float(value))
    return format(Decimal(shown), "f") if "e" in shown else shown


def _json_default(value: Any) -> Any:
    if isinstance(value, Decimal):
        checked_number(value)
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, Lazy):
        return value.get()
    raise ExpressionError(f"this value is {kind(value)}")
