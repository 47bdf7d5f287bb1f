"""What a filter is once it is read: conditions on fields, and conditions put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from oneo.filters.values import TIMES, moment


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one field.

    Attributes:
        field: Dotted path into the record, split: `("company", "name")`; empty for the record as a whole.
        operator: One of `OPERATORS`.
        value: What to compare with; its type decides how (number with number, text with text).
        as_time: Whether the pipeline says that the field holds times, and the operator compares them.
    """

    field: tuple[str, ...]
    operator: str
    value: Any
    as_time: bool = False

    @property
    def is_column_time(self) -> bool:
        """Whether the field is one of the record's own times."""
        return len(self.field) == 1 and self.field[0] in TIMES

    @property
    def is_time(self) -> bool:
        """Whether the clause compares moments."""
        return self.as_time or self.is_column_time

    def __str__(self) -> str:
        return " ".join(filter(None, (".".join(self.field), self.operator, repr(self.value))))


@dataclass(frozen=True, slots=True)
class Group:
    """Filters put together.

    Attributes:
        operator: `$and`, `$or` or `$not`; the last has one member.
        members: Each a filter: all of its conditions together.
    """

    operator: str
    members: tuple[tuple[Condition, ...], ...]

    def __str__(self) -> str:
        return f"{self.operator} [{'; '.join(', '.join(map(str, member)) for member in self.members)}]"


Condition = Clause | Group


def clauses_in(conditions: Sequence[Condition]) -> Iterator[Clause]:
    """Every clause, however deep in groups."""
    for condition in conditions:
        if isinstance(condition, Clause):
            yield condition
        else:
            for member in condition.members:
                yield from clauses_in(member)


def demanded(conditions: Sequence[Condition]) -> list[Clause]:
    """The clauses that have to hold, whatever type the pipeline gives their field.

    A text that may be a time is left out: on a field of dates, texts of different spelling are the same moment.
    """
    return [one for one in conditions if isinstance(one, Clause) and not _may_be_time(one.value)]


def _may_be_time(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and moment(one) is not None for one in values)
