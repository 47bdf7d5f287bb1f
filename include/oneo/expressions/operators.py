"""Arithmetic, comparison and membership, each bounded and strict about kinds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.calendar import add_days, add_time, elapsed
from oneo.expressions.run import Run
from oneo.expressions.values import (
    as_moment,
    checked_number,
    is_number,
    kind,
    measure,
    moment_from_text,
    number_from_text,
)

Binary = Callable[[Run, Any, Any], Any]


def add(run: Run, left: Any, right: Any) -> Any:
    """Numbers, texts, lists, or a date and a duration."""
    if isinstance(left, str) and isinstance(right, str):
        run.fits_text(len(left) + len(right))
        return left + right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        run.fits_items(len(left) + len(right))
        return [*left, *right]
    if isinstance(left, date) and isinstance(right, timedelta):
        return _shift(run, left, right)
    if isinstance(left, timedelta) and isinstance(right, date):
        return _shift(run, right, left)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        raise _cannot("+", left, right, "write ~ to join texts, or | float to compute with one")
    return _arithmetic("+", operator.add, left, right)


def subtract(run: Run, left: Any, right: Any) -> Any:
    """Numbers, or dates and durations."""
    if isinstance(left, date) and isinstance(right, timedelta):
        return _shift(run, left, -right)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left - right
    if isinstance(left, date) or isinstance(right, date):
        first, second = _as_date(run, left), _as_date(run, right)
        if first is not None and second is not None:
            return elapsed(as_moment(second, run.scope.timezone), as_moment(first, run.scope.timezone))
    return _arithmetic("-", operator.sub, left, right)


def multiply(run: Run, left: Any, right: Any) -> Any:
    """Numbers, a text and how often it is wanted, or a duration and a number."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and isinstance(other, int) and not isinstance(other, bool):
            if number_from_text(one) is not None:
                # "5" * 2 may be meant as 10 or as "55".
                raise _cannot("*", left, right, "write | float behind the text")
            run.fits_text(len(one) * max(other, 0))
            return one * other
        if isinstance(one, timedelta) and isinstance(other, int | float) and not isinstance(other, bool):
            return one * other
    return _arithmetic("*", operator.mul, left, right)


def divide(_run: Run, left: Any, right: Any) -> Any:
    """Numbers, or a duration by a number or another duration."""
    if isinstance(left, timedelta) and (isinstance(right, timedelta) or is_number(right)):
        return left / (float(right) if isinstance(right, Decimal) else right)
    return _arithmetic("/", operator.truediv, left, right)


def floor_divide(_run: Run, left: Any, right: Any) -> Any:
    """Numbers, rounded down."""
    return _arithmetic("//", operator.floordiv, left, right)


def modulo(_run: Run, left: Any, right: Any) -> Any:
    """Numbers; texts are never formatted."""
    return _arithmetic("%", operator.mod, left, right)


def negate(value: Any) -> Any:
    """A number or a duration with its sign turned."""
    if isinstance(value, timedelta):
        return -value
    if not is_number(value):
        raise ExpressionError(f"- needs a number, not {kind(value)}")
    return checked_number(-value)


def plus(value: Any) -> Any:
    """A number as it is."""
    if not is_number(value):
        raise ExpressionError(f"+ needs a number, not {kind(value)}")
    return checked_number(value)


def equal(run: Run, left: Any, right: Any) -> bool:
    """Whether two values are the same; a text is never equal to a number."""
    if (
        isinstance(left, Decimal | float)
        and isinstance(right, Decimal | float)
        and type(left) is not type(right)
    ):
        left, right = _aligned(left, right)
    elif isinstance(left, date) or isinstance(right, date):
        first, second = _as_date(run, left), _as_date(run, right)
        if first is None or second is None:
            return False
        return as_moment(first, run.scope.timezone) == as_moment(second, run.scope.timezone)
    elif isinstance(left, Mapping | list | tuple) and isinstance(right, Mapping | list | tuple):
        for value in (left, right):
            run.spend(measure(value, items=run.budget.items, characters=run.budget.text))
        if isinstance(left, tuple) or isinstance(right, tuple):
            return list(left) == list(right)
    return bool(left == right)


def not_equal(run: Run, left: Any, right: Any) -> bool:
    """Whether two values differ."""
    return not equal(run, left, right)


def contains(run: Run, item: Any, whole: Any) -> bool:
    """Whether a list has an item, an object a field, or a text another text; null has nothing."""
    if whole is None:
        return False
    if isinstance(whole, str):
        if not isinstance(item, str):
            raise ExpressionError(
                f"in looks for text in a text, not for {kind(item)}", hint="write | string behind it"
            )
        return item in whole
    if isinstance(whole, Mapping):
        return isinstance(item, str | int) and item in whole
    if isinstance(whole, list | tuple):
        run.spend(len(whole))
        return any(equal(run, item, candidate) for candidate in whole)
    raise ExpressionError(f"in needs a list, an object or a text, not {kind(whole)}")


def lacks(run: Run, item: Any, whole: Any) -> bool:
    """The opposite of `contains`."""
    return not contains(run, item, whole)


def _ordering(symbol: str, compare: Callable[[Any, Any], Any]) -> Binary:
    def ordered(run: Run, left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if isinstance(left, Decimal | int | float) and isinstance(right, Decimal | int | float):
            if isinstance(left, bool) or isinstance(right, bool):
                raise _cannot(symbol, left, right, "compare true and false with ==")
            return bool(compare(*_aligned(left, right)))
        if isinstance(left, str) and isinstance(right, str):
            return bool(compare(left, right))
        if isinstance(left, date) or isinstance(right, date):
            first, second = _as_date(run, left), _as_date(run, right)
            if first is not None and second is not None:
                zone = run.scope.timezone
                return bool(compare(as_moment(first, zone), as_moment(second, zone)))
        elif isinstance(left, timedelta) and isinstance(right, timedelta):
            return bool(compare(left, right))
        else:
            numbers = [number_from_text(side) if isinstance(side, str) else side for side in (left, right)]
            if all(is_number(side) for side in numbers):
                return bool(compare(*_aligned(*numbers)))
        raise _cannot(symbol, left, right, "convert one side, for example with | float or date.parse(…)")

    return ordered


COMPARISONS: Final[Mapping[str, Binary]] = {
    "eq": equal,
    "ne": not_equal,
    "lt": _ordering("<", operator.lt),
    "lteq": _ordering("<=", operator.le),
    "gt": _ordering(">", operator.gt),
    "gteq": _ordering(">=", operator.ge),
    "in": contains,
    "notin": lacks,
}


def _arithmetic(symbol: str, compute: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not is_number(left) or not is_number(right):
        hint = (
            "write | default(0) behind it" if left is None or right is None else "write | float behind a text"
        )
        raise _cannot(symbol, left, right, hint)
    first, second = _aligned(checked_number(left), checked_number(right))
    try:
        return checked_number(compute(first, second))
    except ZeroDivisionError:
        raise ExpressionError(
            "division by zero", hint="test the divisor first: `a / b if b else 0`"
        ) from None
    except ArithmeticError:
        raise ExpressionError("the number is out of range") from None


def _aligned(left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers of kinds that compute with each other: a float beside a decimal becomes what it shows."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(repr(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(repr(left)), right
    return left, right


def _as_date(run: Run, value: Any) -> date | None:
    if isinstance(value, str):
        return moment_from_text(value, run.scope.timezone)
    return value if isinstance(value, date) else None


def _shift(run: Run, day: date, span: timedelta) -> date:
    if not isinstance(day, datetime):
        if span % timedelta(days=1) == timedelta(0):
            return add_days(day, span.days)
        day = as_moment(day, run.scope.timezone)
    moment = as_moment(day, run.scope.timezone)
    return add_time(moment, span)


def _cannot(symbol: str, left: Any, right: Any, hint: str) -> ExpressionError:
    return ExpressionError(f"{symbol} does not work between {kind(left)} and {kind(right)}", hint=hint)
