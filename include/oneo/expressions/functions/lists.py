"""List functions; they take a field's dotted name where others would take a function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cmp_to_key
from typing import Any

from oneo.errors import ExpressionError
from oneo.expressions.functions.registry import function, need_list, need_text, need_whole
from oneo.expressions.lookup import field_of
from oneo.expressions.operators import COMPARISONS, contains, equal
from oneo.expressions.run import Run
from oneo.expressions.values import is_number, kind


@function("length", "len", "count", examples=(("[1, 2] | length", "2"), ("'abc' | length", "3")))
def length(_run: Run, value: Any) -> int:
    """How many items, fields or characters there are; null has none."""
    if value is None:
        return 0
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise ExpressionError(f"needs a list, an object or a text, not {kind(value)}")


@function("contains", examples=(("'abc' | contains('b')", "true"), ("[1, 2] | contains(3)", "false")))
def contains_(run: Run, value: Any, item: Any) -> bool:
    """Whether a text contains another, a list an item, an object a field."""
    return contains(run, item, value)


@function("list", examples=(("'ab' | list", '["a","b"]'),))
def list_(run: Run, value: Any) -> list[Any]:
    """The value as a list: the characters of a text, the field names of an object."""
    if isinstance(value, str | Mapping):
        run.fits_items(len(value))
        run.spend(len(value))
        return list(value)
    return need_list(run, value)


@function("first", examples=(("[3, 1] | first", "3"), ("[] | first | default('none')", "none")))
def first(_run: Run, value: Any) -> Any:
    """The first item of a list or character of a text; null where there is none."""
    return _sequence(value)[0] if _sequence(value) else None


@function("last", examples=(("[3, 1] | last", "1"),))
def last(_run: Run, value: Any) -> Any:
    """The last item of a list or character of a text; null where there is none."""
    return _sequence(value)[-1] if _sequence(value) else None


@function(
    "sort",
    examples=(("[3, 1, 2] | sort", "[1,2,3]"), ("[{'a': 2}, {'a': 1}] | sort('a') | map('a')", "[1,2]")),
)
def sort(run: Run, value: Any, attribute: Any = None, reverse: Any = False) -> list[Any]:
    """The items in order, or in the order of a field; null comes last."""
    found = need_list(run, value)
    dotted = None if attribute is None else need_text(run, attribute)
    keyed = [(item if dotted is None else field_of(item, dotted), item) for item in found]
    filled = [pair for pair in keyed if pair[0] is not None]
    weight = sum(1 + (len(key) >> 10 if isinstance(key, str) else 0) for key, _ in filled)
    run.spend(weight * max(len(filled).bit_length(), 1))

    def compare(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
        if COMPARISONS["lt"](run, left[0], right[0]):
            return -1
        return 1 if COMPARISONS["gt"](run, left[0], right[0]) else 0

    kinds = {
        "number" if is_number(key) else "date" if isinstance(key, date) else type(key) for key, _ in filled
    }
    if len(kinds) > 1:
        raise ExpressionError("the items are of different kinds, so they have no order")
    filled.sort(key=cmp_to_key(compare), reverse=bool(reverse))
    return [item for _, item in filled] + [item for key, item in keyed if key is None]


@function("unique", "distinct", examples=(("[1, 2, 1] | unique", "[1,2]"),))
def unique(run: Run, value: Any, attribute: Any = None) -> list[Any]:
    """The items without repetitions, or without repetitions in a field."""
    dotted = None if attribute is None else need_text(run, attribute)
    seen: set[Any] = set()
    made = []
    for item in need_list(run, value):
        key = item if dotted is None else field_of(item, dotted)
        if isinstance(key, Mapping | list | tuple):
            key = ("json", run.json(key))
        elif isinstance(key, bool):
            key = ("bool", key)
        if key not in seen:
            seen.add(key)
            made.append(item)
    return made


@function("reverse", examples=(("[1, 2] | reverse", "[2,1]"), ("'ab' | reverse", "ba")))
def reverse(run: Run, value: Any) -> Any:
    """The items or characters from last to first."""
    return need_text(run, value)[::-1] if isinstance(value, str) else need_list(run, value)[::-1]


@function("map", "pluck", examples=(("[{'a': 1}, {'a': 2}] | map('a')", "[1,2]"),))
def map_(run: Run, value: Any, attribute: Any, default: Any = None) -> list[Any]:
    """A field of every item, the default where an item lacks it; names may be dotted."""
    dotted = need_text(run, attribute)
    return [field_of(item, dotted, default) for item in need_list(run, value)]


@function(
    "where",
    examples=(
        ("[{'a': 1}, {'a': 2}] | where('a', 2)", '[{"a":2}]'),
        ("[{'a': 1}, {'a': 2}] | where('a', 1, '>') | length", "1"),
        ("[{'a': 1}, {'b': 2}] | where('a')", '[{"a":1}]'),
    ),
)
def where(run: Run, value: Any, field: Any, wanted: Any = ..., operator: Any = "==") -> list[Any]:
    """The items whose field equals a value, or compares so: ==, !=, <, <=, >, >=, in; without a value, is not empty."""
    dotted = need_text(run, field)
    found = [(field_of(item, dotted), item) for item in need_list(run, value)]
    if wanted is ...:
        return [item for held, item in found if held]
    names = {
        "==": "eq",
        "!=": "ne",
        "<": "lt",
        "<=": "lteq",
        ">": "gt",
        ">=": "gteq",
        "in": "in",
        "not in": "notin",
    }
    name = names.get(operator) if isinstance(operator, str) else None
    if name is None:
        raise ExpressionError(f"does not know that operator; known: {', '.join(names)}")
    return [item for held, item in found if COMPARISONS[name](run, held, wanted)]


@function(
    "group_by", examples=(("[{'a': 'x', 'b': 1}, {'a': 'x', 'b': 2}] | group_by('a') | keys", '["x"]'),)
)
def group_by(run: Run, value: Any, field: Any) -> dict[str, list[Any]]:
    """The items by the text of a field: an object of lists."""
    dotted = need_text(run, field)
    made: dict[str, list[Any]] = {}
    for item in need_list(run, value):
        made.setdefault(need_text(run, field_of(item, dotted)), []).append(item)
    return made


@function("flatten", examples=(("[[1], [2, 3], 4] | flatten", "[1,2,3,4]"),))
def flatten(run: Run, value: Any) -> list[Any]:
    """The items of the lists in a list, one level deep."""
    made: list[Any] = []
    for item in need_list(run, value):
        part = need_list(run, item) if isinstance(item, list | tuple) else [item]
        run.fits_items(len(made) + len(part))
        made.extend(part)
    return made


@function("compact", examples=(("[1, none, '', 0] | compact", "[1,0]"),))
def compact(run: Run, value: Any) -> list[Any]:
    """The items without null and empty texts."""
    return [item for item in need_list(run, value) if item is not None and item != ""]


@function(
    "index",
    examples=(("['a', 'b'] | index('b')", "1"), ("['a'] | index('b')", "-1"), ("'abc' | index('c')", "2")),
)
def index(run: Run, value: Any, item: Any) -> int:
    """The position of an item, or of one text in another, counted from 0; -1 where it is not there."""
    if isinstance(value, str):
        return need_text(run, value).find(need_text(run, item))
    found = need_list(run, value)
    return next((position for position, held in enumerate(found) if equal(run, held, item)), -1)


@function("range", examples=(("range(3)", "[0,1,2]"), ("range(5, 1, -2)", "[5,3]")))
def range_(run: Run, start: Any, stop: Any = None, step: Any = 1) -> list[int]:
    """Whole numbers from `start`, or 0, to below `stop`."""
    low, high = (0, need_whole(start)) if stop is None else (need_whole(start), need_whole(stop))
    stride = need_whole(step)
    if stride == 0:
        raise ExpressionError("the step must not be 0")
    made = range(low, high, stride)
    run.fits_items(len(made))
    run.spend(len(made))
    return list(made)


def _sequence(value: Any) -> Any:
    if value is None or isinstance(value, str | list | tuple):
        return value
    raise ExpressionError(f"needs a list, not {kind(value)}")
