"""Number functions and conversions."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from oneo.errors import ExpressionError
from oneo.expressions.functions.registry import function, need_list, need_number, need_text, need_whole
from oneo.expressions.lookup import field_of
from oneo.expressions.operators import COMPARISONS, add, divide
from oneo.expressions.run import Run
from oneo.expressions.values import checked_number, kind, number_from_text

_TRUE = frozenset(("true", "yes", "on", "1"))
_WIDE = Context(prec=500)
_FALSE = frozenset(("false", "no", "off", "0", ""))


@function("round", examples=(("2.5 | round", "3"), ("2.345 | round(2)", "2.35"), ("-2.5 | round", "-3")))
def round_(_run: Run, value: Any, digits: Any = 0) -> Any:
    """The number rounded to so many digits, halves away from zero; without digits, to a whole number."""
    number, places = checked_number(need_number(value)), need_whole(digits, least=-30, most=30)
    if isinstance(number, int) and places >= 0:
        return number
    exact = number if isinstance(number, Decimal) else Decimal(repr(number))
    made = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_WIDE)
    if places <= 0:
        return checked_number(int(made))
    return float(made) if isinstance(number, float) else made


@function("int", "integer", examples=(("'42' | int", "42"), ("3.9 | int", "3"), ("'x' | int(0)", "0")))
def int_(_run: Run, value: Any, fallback: Any = None) -> Any:
    """The value as a whole number, cut off after the point; the fallback where it is none."""
    number = _converted(value)
    if number is None:
        return _fallback(value, fallback)
    checked_number(number)
    if abs(number) >= 10**30:
        raise ExpressionError("the number is out of range")
    return int(number)


@function("float", "number", examples=(("'4.50' | float", "4.5"), ("'x' | float(0)", "0")))
def float_(_run: Run, value: Any, fallback: Any = None) -> Any:
    """The value as a number; the fallback where it is none."""
    number = _converted(value)
    return _fallback(value, fallback) if number is None else checked_number(float(checked_number(number)))


@function("bool", "boolean", examples=(("'yes' | bool", "true"), ("'0' | bool", "false")))
def bool_(_run: Run, value: Any) -> bool:
    """The value as true or false; the texts true, yes, on, 1 and false, no, off, 0 are understood."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise ExpressionError("needs a text such as true, false, yes or no")
    return bool(value)


@function("abs", examples=(("-3 | abs", "3"),))
def abs_(_run: Run, value: Any) -> Any:
    """The number without its sign."""
    return checked_number(abs(need_number(value)))


@function("floor", examples=(("2.9 | floor", "2"),))
def floor(_run: Run, value: Any) -> int:
    """The next whole number below."""
    return int(checked_number(math.floor(checked_number(need_number(value)))))


@function("ceil", examples=(("2.1 | ceil", "3"),))
def ceil(_run: Run, value: Any) -> int:
    """The next whole number above."""
    return int(checked_number(math.ceil(checked_number(need_number(value)))))


@function("sum", examples=(("[1, 2, none] | sum", "3"), ("[{'a': 2}, {'a': 3}] | sum('a')", "5")))
def sum_(run: Run, value: Any, field: Any = None) -> Any:
    """The numbers of a list added up, or those in a field of its items; null is left out."""
    total: Any = 0
    for number in _numbers(run, value, field):
        total = add(run, total, number)
    return total


@function("avg", "mean", "average", examples=(("[1, 2, 6] | avg", "3.0"),))
def avg(run: Run, value: Any, field: Any = None) -> Any:
    """The average of the numbers of a list, null left out; null for an empty list."""
    numbers = _numbers(run, value, field)
    if not numbers:
        return None
    total: Any = 0
    for number in numbers:
        total = add(run, total, number)
    return divide(run, total, len(numbers))


@function("min", examples=(("min(3, 1, 2)", "1"), ("[3, 1] | min", "1")))
def min_(run: Run, value: Any, *others: Any) -> Any:
    """The smallest of a list or of the arguments, null left out."""
    return _extreme(run, "lt", value, others)


@function("max", examples=(("max(3, 1, 2)", "3"), ("['2026-01-01', '2026-02-01'] | max", "2026-02-01")))
def max_(run: Run, value: Any, *others: Any) -> Any:
    """The largest of a list or of the arguments, null left out."""
    return _extreme(run, "gt", value, others)


def _extreme(run: Run, comparison: str, value: Any, others: tuple[Any, ...]) -> Any:
    candidates = [
        item for item in ((value, *others) if others else need_list(run, value)) if item is not None
    ]
    best = candidates[0] if candidates else None
    for candidate in candidates[1:]:
        if COMPARISONS[comparison](run, candidate, best):
            best = candidate
    return best


def _numbers(run: Run, value: Any, field: Any) -> list[Any]:
    found = need_list(run, value)
    if field is not None:
        dotted = need_text(run, field)
        found = [field_of(item, dotted) for item in found]
    return [need_number(number) for number in found if number is not None]


def _converted(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return number_from_text(value)
    return None if value is None else need_number(value)


def _fallback(value: Any, fallback: Any) -> Any:
    if fallback is None:
        raise ExpressionError(f"{kind(value)} is not a number", hint="give a fallback, such as | float(0)")
    return fallback
