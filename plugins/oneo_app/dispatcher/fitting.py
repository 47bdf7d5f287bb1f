"""Triggers found by the values and spans that they ask for: those that cannot fit an event are not asked about it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

from oneo.filters import Clause, value_at
from oneo.filters.values import exact, is_number

T = TypeVar("T")
Path = tuple[str, ...]
Key = tuple[str, str | bool | Decimal | None]
Span = tuple[Decimal, Decimal]

_LOWEST, _HIGHEST = Decimal("-Infinity"), Decimal("Infinity")
_ORDERED = ("$gt", "$gte", "$lt", "$lte")


class Fitting(Generic[T]):
    """Things by one condition each requires: rather an equality, else a span of numbers.

    What is found still has to be asked: its other conditions may not hold.

    Args:
        given: Each thing with the clauses without which an event means nothing to it.
    """

    def __init__(self, given: Iterable[tuple[T, Sequence[Clause]]]) -> None:
        pairs = list(given)
        self.given = [thing for thing, _ in pairs]
        self._always: list[tuple[int, T]] = []
        self._by_value: dict[Path, dict[Key, list[tuple[int, T]]]] = defaultdict(lambda: defaultdict(list))
        spans: dict[Path, list[tuple[Span, tuple[int, T]]]] = defaultdict(list)
        for place, (thing, clauses) in enumerate(pairs):
            equal, ordered = (
                next(filter(_is_equality, clauses), None),
                next(filter(_is_ordered, clauses), None),
            )
            if equal is not None:
                values = equal.value if equal.operator == "$in" else [equal.value]
                for key in dict.fromkeys(filter(None, map(_key, values))):
                    self._by_value[equal.field][key].append((place, thing))
            elif ordered is not None:
                spans[ordered.field].append((_span(clauses, ordered.field), (place, thing)))
            else:
                self._always.append((place, thing))
        self._spans = {path: sorted(found, key=_low) for path, found in spans.items()}

    def fitting(self, facts: Mapping[str, Any]) -> Iterator[T]:
        """Those whose condition may hold, and those without one, in the order they were given."""
        found = list(self._always)
        for path, by_key in self._by_value.items():
            key = _key(value_at(facts, path))
            if key is not None:
                found += by_key.get(key, ())
        for path, spans in self._spans.items():
            value = value_at(facts, path)
            if is_number(value):
                number = exact(value)
                begun = spans[: bisect_right(spans, number, key=_low)]
                found += (one for (_, high), one in begun if high >= number)
        found.sort(key=_place)
        return (thing for _, thing in found)


def _is_equality(clause: Clause) -> bool:
    # Times are equal as moments, however they are written.
    return clause.operator in ("$eq", "$in") and not clause.is_time


def _is_ordered(clause: Clause) -> bool:
    return clause.operator in _ORDERED and is_number(clause.value)


def _span(clauses: Sequence[Clause], path: Path) -> Span:
    """Between which numbers a field has to be, ends included."""
    own = [clause for clause in clauses if clause.field == path and _is_ordered(clause)]
    lows = [exact(clause.value) for clause in own if clause.operator in ("$gt", "$gte")]
    highs = [exact(clause.value) for clause in own if clause.operator in ("$lt", "$lte")]
    return max(lows, default=_LOWEST), min(highs, default=_HIGHEST)


def _low(one: tuple[Span, Any]) -> Decimal:
    return one[0][0]


def _place(one: tuple[int, Any]) -> int:
    return one[0]


def _key(value: Any) -> Key | None:
    """The same for values that filters take for equal; None for lists and objects, which equal no value asked for."""
    if value is None or isinstance(value, str | bool):
        return type(value).__name__, value
    return ("number", exact(value)) if is_number(value) else None
