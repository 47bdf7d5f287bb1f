"""Changes to a record's values: overwritten, added to, appended to, taken away; also inside of an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from oneo.errors import InvalidRecordError, UserError
from oneo.store.record_data import RESERVED_FIELDS, SYSTEM_FIELDS, checked, plus


@dataclass(frozen=True)
class Changes:
    """What to change on a record; `address.city` is a field inside of one.

    Attributes:
        set: Fields to overwrite.
        increment: Numbers to add to fields; a missing field counts as 0.
        append: Values to append to list fields; a missing field counts as empty.
        unset: Fields to take away.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    increment: Mapping[str, float] = field(default_factory=dict)
    append: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    unset: Sequence[str] = ()


def changed_values(before: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The values after the changes; `before` stays as it is.

    Raises:
        InvalidRecordError: Data that no record can hold.
        UserError: Incrementing what is not a number, appending to what is not a list, a field inside of a text.
    """
    after = deepcopy(dict(before))
    for name, value in checked(changes.set).items():
        inside, last = _inside(after, name)
        inside[last] = value
    for name, amount in changes.increment.items():
        inside, last = _inside(after, name)
        inside[last] = plus(name, inside.get(last), amount)
    for name, values in changes.append.items():
        inside, last = _inside(after, name)
        current = inside.get(last)
        if not isinstance(current, list | None):
            raise UserError(f"field {name!r} holds {current!r}, which is not a list", hint="use a list field")
        inside[last] = [*(current or []), *values]
    for name in changes.unset:
        if name in RESERVED_FIELDS:
            raise InvalidRecordError(f"field {name!r}: the store keeps it itself", hint="leave it out")
        _take_away(after, name)
        if name in SYSTEM_FIELDS:
            after[name] = None  # a column is always there
    return after


def _inside(values: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """The object that holds the field of a name, made where it is missing, and the field's name in it.

    Raises:
        UserError: There is something else in its place.
    """
    if name in values or "." not in name:
        return values, name
    *path, last = name.split(".")
    for index, part in enumerate(path):
        if values.get(part) is None:
            values[part] = {}
        held = values[part]
        if not isinstance(held, dict):
            raise UserError(
                f"field {'.'.join(path[: index + 1])!r} holds {held!r}, which has no fields inside",
                hint=f"{name!r} needs an object there",
            )
        values = held
    return values, last


def _take_away(values: dict[str, Any], name: str) -> None:
    if name in values:
        del values[name]
        return
    first, _, rest = name.partition(".")
    if rest and isinstance(values.get(first), dict):
        _take_away(values[first], rest)
