"""The tests behind `is`: `record.phone is defined`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from oneo.expressions.values import is_number

TESTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "none": lambda value: value is None,
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "number": is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, Mapping),
    "mapping": lambda value: isinstance(value, Mapping),
    "date": lambda value: isinstance(value, date),
    "empty": lambda value: (
        value is None or (isinstance(value, str | list | tuple | Mapping) and not len(value))
    ),
    "even": lambda value: is_number(value) and value % 2 == 0,
    "odd": lambda value: is_number(value) and value % 2 == 1,
}
"""Tests of a value; `defined` and `undefined` are the compiler's own, since they look at a missing one."""
