"""Filters as their authors write them (`{"status": "open", "score": {"$gte": 50}}`) into conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from oneo.errors import UserError
from oneo.filters.clauses import Clause, Condition, Group
from oneo.filters.pattern import pattern
from oneo.filters.values import is_number, is_scalar, moment, plain, unusable
from oneo.filters.words import words
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
    "$regex": "some part of a text fits a pattern; `(?i)` at its start ignores case",
    "$search": "holds every word of a text, in whatever case and order",
    "$exists": "is there and not null (true) or not (false)",
}
GROUPS: dict[str, str] = {
    "$and": "all of a list of filters hold",
    "$or": "at least one of a list of filters holds",
    "$not": "the filter, or the field's condition, does not hold",
}
MAX_CONDITIONS = 200
MAX_DEPTH = 10
MAX_VALUES = 10_000
_ORDERED = {"$gt", "$gte", "$lt", "$lte"}
_TEXT = {"$starts_with", "$ends_with", "$regex", "$search"}
_OF_TIMES = {"$eq", "$ne", "$in", "$nin", *_ORDERED}
_TIME_TYPES = ("date", "datetime")
_FIELD = re.compile(r"[^\W\d][\w -]*(\.[\w -]+)*")


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


def parse(
    filters: Mapping[str, Any], types: Mapping[str, str] | None = None, *, expressions: bool = False
) -> list[Condition]:
    """The conditions of a filter: all of them together.

    Args:
        filters: As written.
        types: Types of the pipeline's fields, where they are known: dates are compared as moments.
        expressions: Whether a text with `{{` stands for a value that is not known yet.

    Raises:
        UserError: An unknown operator, a field that is not a name, or a value the operator cannot use; every problem
            is named.
    """
    reader = _Reader(types or {}, expressions)
    found = reader.filter(filters, 0)
    if len(reader.problems) == 1:
        raise reader.problems[0]
    if reader.problems:
        raise UserError("; ".join(map(str, reader.problems)))
    return list(found)


class _Reader:
    """Reads one filter, gathering what is wrong with it."""

    def __init__(self, types: Mapping[str, str], expressions: bool) -> None:
        self.types = types
        self.expressions = expressions
        self.problems: list[UserError] = []
        self.count = 0

    def filter(self, filters: Any, depth: int) -> tuple[Condition, ...]:
        if self.expressions and _is_expression(filters):
            return ()
        if not isinstance(filters, Mapping):
            self._wrong(
                f"a filter is an object, not a {type(filters).__name__}", 'write e.g. {"status": "open"}'
            )
            return ()
        if depth > MAX_DEPTH:
            self._wrong("filters are too deep in each other", f"at most {MAX_DEPTH} levels")
            return ()
        found: list[Condition] = []
        for name, condition in filters.items():
            if name in GROUPS:
                found += self._group(name, condition, depth)
            elif name == "$search":
                found += self._clause((), name, condition)
            elif isinstance(name, str) and name.startswith("$") and name not in OPERATORS:
                known = [*GROUPS, "$search"]
                self._wrong(
                    f"filter field {name!r} is not a field name and no operator", did_you_mean(name, known)
                )
            else:
                found += self._field(name, condition, depth)
        return tuple(found)

    def _group(self, operator: str, value: Any, depth: int) -> list[Condition]:
        if self.expressions and _is_expression(value):
            return []
        if operator == "$not":
            return [Group(operator, (self.filter(value, depth + 1),))]
        if not isinstance(value, list | tuple) or not value:
            self._wrong(
                f"{operator} needs a list of filters, at least one",
                f'write e.g. {{"{operator}": [{{"a": 1}}]}}',
            )
            return []
        return [Group(operator, tuple(self.filter(one, depth + 1) for one in value))]

    def _field(self, field: Any, condition: Any, depth: int) -> list[Condition]:
        try:
            path = field_path(field)
        except UserError as error:
            self.problems.append(error)
            return []
        if not isinstance(condition, Mapping):
            return self._clause(path, "$eq", condition)
        if not condition:
            self._wrong(f"filter on {field!r} has no operator", 'write e.g. {"$gte": 50}')
        found: list[Condition] = []
        for operator, value in condition.items():
            if operator != "$not":
                found += self._clause(path, operator, value)
            elif isinstance(value, Mapping):
                found += self._group("$not", {field: value}, depth)
            else:
                self._wrong(
                    f"filter on {field!r}: $not needs a condition", 'write e.g. {"$not": {"$gte": 50}}'
                )
        return found

    def _clause(self, path: tuple[str, ...], operator: Any, value: Any) -> list[Condition]:
        self.count += 1
        if self.count == MAX_CONDITIONS + 1:
            self._wrong(
                "the filter has too many conditions", f"at most {MAX_CONDITIONS}; use $in for many values"
            )
        if self.count > MAX_CONDITIONS:
            return []
        try:
            return [self._checked(path, operator, plain(value))]
        except UserError as error:
            self.problems.append(error)
            return []

    def _checked(self, path: tuple[str, ...], operator: Any, value: Any) -> Clause:
        name = f"filter on {'.'.join(path)!r}" if path else "filter"
        if operator not in OPERATORS:
            known = [*OPERATORS, "$not"]
            raise UserError(f"{name}: unknown operator {operator!r}", hint=did_you_mean(str(operator), known))
        is_typed = len(path) == 1 and self.types.get(path[0]) in _TIME_TYPES and operator in _OF_TIMES
        clause = Clause(path, operator, value, is_typed)
        if self.expressions and _is_expression(value):
            return clause
        fits, wanted = _fits(operator, value)
        if not fits:
            raise UserError(f"{name}: {operator} needs {wanted}, got {type(value).__name__}")
        if isinstance(value, list) and len(value) > MAX_VALUES:
            raise UserError(f"{name}: {operator} has {len(value):,} values", hint=f"at most {MAX_VALUES:,}")
        reason = unusable(value)
        if reason is not None:
            raise UserError(f"{name}: {reason}", hint="compare with a value that a record can hold")
        if operator in _READERS:
            try:
                _READERS[operator](value)
            except UserError as error:
                raise UserError(f"{name}: {error.message}", hint=error.hint) from None
        if clause.is_time:
            self._check_times(clause)
        return clause

    def _check_times(self, clause: Clause) -> None:
        name = ".".join(clause.field)
        if clause.operator in _TEXT or clause.operator == "$contains":
            raise UserError(
                f"filter on {name!r}: {clause.operator} needs a text, and {name} is a time",
                hint="ask for a span with $gte and $lt",
            )
        if clause.operator == "$exists":
            return
        for value in clause.value if isinstance(clause.value, list) else [clause.value]:
            is_open = self.expressions and _is_expression(value)
            if value is not None and not is_open and moment(value) is None:
                raise UserError(
                    f"filter on {name!r}: {value!r} is not a date and time",
                    hint="write ISO 8601, e.g. 2026-01-31T09:00:00+00:00, or an expression such as {{last_week}}",
                )

    def _wrong(self, message: str, hint: str) -> None:
        self.problems.append(UserError(message, hint=hint))


_READERS: dict[str, Callable[[str], object]] = {"$regex": pattern, "$search": words}


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def _fits(operator: str, value: Any) -> tuple[bool, str]:
    """Whether the operator can use the value, and what it needs."""
    if operator in _ORDERED:
        return is_number(value) or isinstance(value, str), "a number or a text"
    if operator in ("$in", "$nin"):
        return isinstance(value, list) and all(map(is_scalar, value)), "a list of plain values"
    if operator in _TEXT:
        return isinstance(value, str), "a text"
    if operator == "$exists":
        return isinstance(value, bool), "true or false"
    return is_scalar(value), "a plain value"
