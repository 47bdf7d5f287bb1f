"""What a record's data may be, and when two values of it are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneo.database import to_json
from oneo.errors import InvalidRecordError, UserError
from oneo.filters.values import is_number, unusable

# Names that lead to columns, not to data.
SYSTEM_FIELDS = ("stage", "owner", "external_id")
# Columns that the store itself keeps: data of these names would be hidden by them.
RESERVED_FIELDS = ("id", "pipeline_id", "version", "created_at", "updated_at")
_SCALAR = (str, int, float, type(None))


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as a record can hold it: numbers become text where a text belongs.

    Raises:
        InvalidRecordError: It cannot hold it; the message names the field, not its value.
    """
    found = dict(data)
    for name, value in found.items():
        reason = "the store keeps it itself" if name in RESERVED_FIELDS else _unfit(name) or _unfit(value)
        if reason is not None:
            raise InvalidRecordError(f"field {name!r}: {reason}", hint="leave it out, or correct it")
    for name in SYSTEM_FIELDS:
        value = found.get(name)
        if is_number(value):
            found[name] = str(value)
        elif not isinstance(value, str | None):
            raise InvalidRecordError(f"field {name!r} is a text, got {type(value).__name__}")
    return found


def _unfit(value: Any) -> str | None:
    # First what most values are: an import asks this of millions.
    if isinstance(value, _SCALAR):
        return unusable(value)
    if isinstance(value, Mapping):
        parts = [part for item in value.items() for part in item]
        return next((reason for part in parts if (reason := _unfit(part))), None)
    if isinstance(value, list | tuple):
        return next((reason for part in value if (reason := _unfit(part))), None)
    try:
        to_json(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        return str(error)
    return None


def plus(name: str, current: Any, amount: float) -> float:
    """A field's number with `amount` added; a missing field counts as 0.

    Raises:
        UserError: It holds no number.
    """
    current = 0 if current is None else current
    if not is_number(current):
        raise UserError(
            f"field {name!r} holds {current!r}, which cannot be incremented", hint="use a number field"
        )
    return float(current + amount) if isinstance(current, float) else current + amount


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: true is not 1, but 1 is 1.0."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
