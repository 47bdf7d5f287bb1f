"""Filters as their authors write them (`{"status": "open", "score": {"$gte": 50}}`) into clauses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oneo.errors import UserError
from oneo.filters.values import TIMES, is_number, is_scalar, moment, plain, unusable
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
_FIELD = re.compile(r"[^\W\d][\w -]*(\.[\w -]+)*")


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

    @property
    def is_time(self) -> bool:
        """Whether the field is one of the record's own times, which compare as moments."""
        return len(self.field) == 1 and self.field[0] in TIMES

    def __str__(self) -> str:
        return f"{'.'.join(self.field)} {self.operator} {self.value!r}"


def field_path(field: Any, use: str = "filter field") -> tuple[str, ...]:
    """A field's name as a path into the record.

    Raises:
        UserError: It is not a field name.
    """
    if not isinstance(field, str) or not _FIELD.fullmatch(field):
        raise UserError(
            f"{use} {field!r} is not a field name",
            hint="fields are names joined by dots; operators such as $gte stand inside a field's condition",
        )
    return tuple(field.split("."))


def parse(filters: Mapping[str, Any]) -> list[Clause]:
    """The clauses of a filter.

    Raises:
        UserError: An unknown operator, a field that is not a name, or a value the operator cannot use.
    """
    if not isinstance(filters, Mapping):
        raise UserError(
            f"a filter is an object, not a {type(filters).__name__}", hint='write e.g. {"status": "open"}'
        )
    clauses: list[Clause] = []
    for field, condition in filters.items():
        path = field_path(field)
        if isinstance(condition, Mapping):
            if not condition:
                raise UserError(f"filter on {field!r} has no operator", hint='write e.g. {"$gte": 50}')
            clauses += [_clause(path, operator, value) for operator, value in condition.items()]
        else:
            clauses.append(_clause(path, "$eq", condition))
    return clauses


def _clause(path: tuple[str, ...], operator: str, value: Any) -> Clause:
    field = ".".join(path)
    value = plain(value)
    if operator not in OPERATORS:
        raise UserError(
            f"filter on {field!r}: unknown operator {operator!r}", hint=did_you_mean(str(operator), OPERATORS)
        )
    fits, wants = True, ""
    if operator in _ORDERED:
        fits, wants = is_number(value) or isinstance(value, str), "a number or a text"
    elif operator in ("$in", "$nin"):
        fits, wants = isinstance(value, list) and all(map(is_scalar, value)), "a list of plain values"
    elif operator in _TEXT:
        fits, wants = isinstance(value, str), "a text"
    elif operator == "$exists":
        fits, wants = isinstance(value, bool), "true or false"
    else:
        fits, wants = is_scalar(value), "a plain value"
    if not fits:
        raise UserError(f"filter on {field!r}: {operator} needs {wants}, got {type(value).__name__}")
    reason = unusable(value)
    if reason is not None:
        raise UserError(f"filter on {field!r}: {reason}", hint="compare with a value that a record can hold")
    clause = Clause(path, operator, value)
    if clause.is_time:
        _check_times(clause)
    return clause


def _check_times(clause: Clause) -> None:
    """Nothing where the clause can be asked of a time.

    Raises:
        UserError: It cannot.
    """
    name = clause.field[0]
    if clause.operator in _TEXT or clause.operator == "$contains":
        raise UserError(
            f"filter on {name!r}: {clause.operator} needs a text, and {name} is a time",
            hint="ask for a span with $gte and $lt",
        )
    if clause.operator == "$exists":
        return
    for value in clause.value if isinstance(clause.value, list) else [clause.value]:
        # An expression has no value yet where a definition is checked; it is checked again when it has.
        is_expression = isinstance(value, str) and "{{" in value
        if value is not None and not is_expression and moment(value) is None:
            raise not_a_time(name, value)


def not_a_time(field: str, value: Any) -> UserError:
    """The error for a value that a time is compared with and that is none."""
    return UserError(
        f"filter on {field!r}: {value!r} is not a date and time",
        hint="write ISO 8601, e.g. 2026-01-31T09:00:00+00:00, or an expression such as {{last_week}}",
    )
