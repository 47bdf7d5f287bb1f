"""Filters without their values: a statement made for one serves all that differ in nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import BindParameter, Double, bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Text

from oneo.filters.clauses import Clause, Condition, Group
from oneo.filters.values import entry_value, is_number

# For these, of the value only the kind decides what is asked of the database.
_OPERATORS = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
# Columns that are looked up by the value, where it can be one of theirs.
_BY_VALUE = (("id",), ("external_id",))


@dataclass(frozen=True, slots=True)
class Open:
    """A text, number or bool that is given when the statement runs.

    Attributes:
        name: What its parameters begin with.
        kind: Its type.
    """

    name: str
    kind: type[str | float | bool]

    @property
    def json(self) -> BindParameter[Any]:
        """It, as JSONB."""
        return bindparam(f"{self.name}_json", type_=JSONB)

    @property
    def text(self) -> BindParameter[Any]:
        """It, a text."""
        return bindparam(f"{self.name}_text", type_=Text)

    @property
    def entry(self) -> BindParameter[Any]:
        """It, as the index of record values has it."""
        return bindparam(f"{self.name}_entry", type_=Text(collation="C") if self.kind is str else Double)


def opened(conditions: Sequence[Condition]) -> tuple[tuple[Condition, ...], dict[str, Any]] | None:
    """The conditions with open values, and the parameters that stand for these.

    None where what is asked of the database depends on a value itself, as with patterns and lists.
    """
    given: dict[str, Any] = {}
    try:
        return tuple(_opened(conditions, map("value_{}".format, count()), given)), given
    except _DependsOnValueError:
        return None


class _DependsOnValueError(Exception):
    pass


def _opened(
    conditions: Sequence[Condition], names: Iterator[str], given: dict[str, Any]
) -> Iterator[Condition]:
    for one in conditions:
        if isinstance(one, Group):
            members = tuple(tuple(_opened(member, names, given)) for member in one.members)
            yield replace(one, members=members)
            continue
        kind = _kind(one)
        if kind is None:
            raise _DependsOnValueError
        found = Open(next(names), kind)
        given |= {
            f"{found.name}_json": one.value,
            f"{found.name}_text": one.value,
            f"{found.name}_entry": entry_value(one.value),
        }
        yield replace(one, value=found)


def _kind(clause: Clause) -> type[str | float | bool] | None:
    """The type of a value that can be left open; None where it cannot."""
    if clause.operator not in _OPERATORS or clause.is_time or clause.field in _BY_VALUE:
        return None
    if isinstance(clause.value, str | bool):
        return type(clause.value)
    return float if is_number(clause.value) else None
