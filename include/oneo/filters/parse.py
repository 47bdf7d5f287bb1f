"""Filters as their authors write them (`{"status": "open", "score": {"$gte": 50}}`) into clauses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from oneo.errors import UserError
from oneo.suggest import did_you_mean

OPERATORS: dict[str, str] = {
    "$eq": "equals",
    "$ne": "differs from, or is missing",
    "$gt": "is greater than",
    "$gte": "is at least",
    "$lt": "is less than",
    "$lte": "is at most",
    "$in": "is one of a list",
    "$nin": "is none of a list, or is missing",
    "$contains": "text contains a text, list contains a value",
    "$starts_with": "text starts with a text",
    "$ends_with": "text ends with a text",
    "$exists": "is there and not null (true) or not (false)",
}
_ORDERED = {"$gt", "$gte", "$lt", "$lte"}
_TEXT = {"$starts_with", "$ends_with"}
_FIELD = re.compile(r"[A-Za-z_][\w -]*(\.[\w -]+)*")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one field; a filter is all of its clauses together.

    Attributes:
        field: Dotted path into the record, split: `("company", "name")`.
        operator: One of `OPERATORS`.
        value: What to compare with; its type decides how (number with number, text with text).
    """

    field: tuple[str, ...]
    operator: str
    value: Any

    def __str__(self) -> str:
        return f"{'.'.join(self.field)} {self.operator} {self.value!r}"


def parse(filters: Mapping[str, Any]) -> list[Clause]:
    """The clauses of a filter.

    Raises:
        UserError: An unknown operator, a field that is not a name, or a value the operator cannot use.
    """
    clauses: list[Clause] = []
    for field, condition in filters.items():
        if not isinstance(field, str) or not _FIELD.fullmatch(field):
            raise UserError(
                f"filter field {field!r} is not a field name",
                hint="fields are names joined by dots; operators such as $gte stand inside a field's condition",
            )
        path = tuple(field.split("."))
        if isinstance(condition, Mapping):
            if not condition:
                raise UserError(f"filter on {field!r} has no operator", hint='write e.g. {"$gte": 50}')
            clauses += [_clause(path, operator, value) for operator, value in condition.items()]
        else:
            clauses.append(_clause(path, "$eq", condition))
    return clauses


def _clause(path: tuple[str, ...], operator: str, value: Any) -> Clause:
    field = ".".join(path)
    if isinstance(value, date):
        value = value.isoformat()
    if operator not in OPERATORS:
        raise UserError(
            f"filter on {field!r}: unknown operator {operator!r}", hint=did_you_mean(str(operator), OPERATORS)
        )
    fits, wants = True, ""
    if operator in _ORDERED:
        fits, wants = _is_number(value) or isinstance(value, str), "a number or a text"
    elif operator in ("$in", "$nin"):
        fits, wants = isinstance(value, list) and all(map(_is_scalar, value)), "a list of plain values"
    elif operator in _TEXT:
        fits, wants = isinstance(value, str), "a text"
    elif operator == "$exists":
        fits, wants = isinstance(value, bool), "true or false"
    else:
        fits, wants = _is_scalar(value), "a plain value"
    if not fits:
        raise UserError(f"filter on {field!r}: {operator} needs {wants}, got {type(value).__name__}")
    return Clause(path, operator, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
