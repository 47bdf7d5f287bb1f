"""Values of a JavaScript condition on their way to an expression: dates count milliseconds there, not here."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dag_factory.dialects.javascript_tokens import NotTranslatableError

# How tightly JavaScript's operators bind; ours bind in the same order.
BINARY: Final = {
    "??": 1, "||": 2, "&&": 3, "===": 5, "!==": 5, "==": 5, "!=": 5, "<": 6, ">": 6, "<=": 6, ">=": 6,
    "+": 7, "-": 7, "*": 8, "/": 8, "%": 8,
}  # fmt: skip
ATOM: Final = 10
_OURS: Final = {"===": "==", "!==": "!=", "&&": "and", "||": "or"}
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_UNITS: Final = (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000))


@dataclass(frozen=True)
class Value:
    """Part of an expression.

    Attributes:
        text: As we write it.
        strength: How tightly its outermost operator binds.
        number: Its value, where it is known already.
        is_path: Whether it only names something.
        is_member: Whether it names part of something, which may be missing there.
        is_text: Whether it is known to be a text.
        is_null: Whether it is null or undefined.
        is_date: Whether it is a moment.
        shift: For now with milliseconds added: how many.
        span: For the difference of two moments: how many milliseconds one unit of it has.
    """

    text: str
    strength: int
    number: float | None = None
    is_path: bool = False
    is_member: bool = False
    is_text: bool = False
    is_null: bool = False
    is_date: bool = False
    shift: float | None = None
    span: float | None = None


def constant(number: float) -> Value:
    """A number; sums of numbers are worked out at once.

    Raises:
        NotTranslatableError: It is out of range.
    """
    if not math.isfinite(number):
        raise NotTranslatableError("a number is out of range")
    text = f"{number:.0f}" if number.is_integer() else repr(number)
    return Value(text, ATOM if number >= 0 else 9, number=number)


def in_parentheses(value: Value, least: int) -> Value:
    """The value in parentheses, unless it binds tightly enough without."""
    return value if value.strength >= least else replace(value, text=f"({value.text})", strength=ATOM)


def negated(sign: str, value: Value) -> Value:
    """The value behind `!`, `-` or `+`."""
    if sign == "!":
        return Value(f"not {in_parentheses(as_condition(value), 5).text}", 4)
    if value.number is not None:
        return constant(-value.number if sign == "-" else value.number)
    if sign == "+":
        return Value(value.text if value.span or value.is_date else f"float({value.text})", ATOM)
    return Value(f"-{in_parentheses(value, 9).text}", 9)


def quoted(text: str) -> Value:
    """A text as it is."""
    return Value(json.dumps(text, ensure_ascii=False), ATOM, is_text=True)


def joined(parts: Sequence[Value]) -> Value:
    """One text of several values."""
    if all(part.is_text for part in parts) and len(parts) == 1:
        return parts[0]
    return Value("(" + " ~ ".join(in_parentheses(part, 8).text for part in parts) + ")", ATOM, is_text=True)


def as_condition(value: Value) -> Value:
    """What is asked for its truth: a field that is missing is false there; here it would be an error."""
    return or_null(value) if value.is_member else value


def as_number(value: Value) -> Value:
    """A span of time as the number of its units; everything else as it is."""
    if value.span is None:
        return value
    return Value(f"{in_parentheses(value, 8).text} / {_duration(value.span)}", 8)


def or_null(value: Value) -> Value:
    """What is missing equals null there; here it would be an error."""
    return Value(f"default({value.text}, null)", ATOM) if value.is_path else value


def combined(sign: str, left: Value, right: Value) -> Value:
    """Two values and the operator between them."""
    dated = _with_dates(sign, left, right)
    if dated is not None:
        return dated
    left, right = as_number(left), as_number(right)
    if sign == "+" and (left.is_text or right.is_text):
        return joined([left, right])
    if sign in ("&&", "||"):
        left, right = as_condition(left), as_condition(right)
    if sign == "??":
        return Value(f"default({left.text}, {right.text})", ATOM)
    if (
        left.number is not None
        and right.number is not None
        and sign in "+-*/"
        and (sign, right.number) != ("/", 0)
    ):
        a, b = left.number, right.number
        return constant({"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[sign])
    if BINARY[sign] in (5, 6) and (left.is_null or right.is_null):
        left, right = or_null(left), or_null(right)
    if BINARY[sign] in (5, 6):
        # Ours may stand in a row, JavaScript's mean the result of the first one.
        return _joined(sign, left, right, 7, 7, 5)
    strength = BINARY[sign]
    return _joined(sign, left, right, strength, strength + 1, strength)


def _joined(sign: str, left: Value, right: Value, least: int, least_right: int, strength: int) -> Value:
    text = f"{in_parentheses(left, least).text} {_OURS.get(sign, sign)} {in_parentheses(right, least_right).text}"
    return Value(text, strength)


def _with_dates(sign: str, left: Value, right: Value) -> Value | None:
    if sign == "+" and right.is_date and left.number is not None:
        left, right = right, left
    if left.is_date and right.number is not None and sign in "+-":
        return _shifted(left, right.number if sign == "+" else -right.number)
    if (
        sign == "-"
        and left.is_date | right.is_date
        and all(one.is_date or one.is_path for one in (left, right))
    ):
        return Value(f"{_moment(left)} - {_moment(right)}", 7, span=1.0)
    if left.span is not None and right.number:
        if sign == "/":
            return replace(left, span=left.span * right.number)
        if BINARY[sign] == 6:
            limit = _duration(right.number * left.span)
            return Value(f"{in_parentheses(left, 7).text} {sign} {limit}", 5)
    if right.span is not None and left.number and sign in _MIRRORED:
        return _with_dates(_MIRRORED[sign], right, left)
    return None


def _moment(value: Value) -> str:
    return in_parentheses(value, 8).text if value.is_date else f"date.parse({value.text})"


def _shifted(date: Value, milliseconds: float) -> Value:
    if date.shift is None:
        name, number = _unit(milliseconds)
        if name is None:
            return Value(f"{date.text} + {_duration(milliseconds)}", 7, is_date=True)
        return Value(f"date.add_{name}({date.text}, {number})", ATOM, is_date=True)
    total = date.shift + milliseconds
    name, number = _unit(total)
    if name is None:
        return Value(f"now + {_duration(total)}", 7, is_date=True, shift=total)
    return Value(f"date.add_{name}({number})", ATOM, is_date=True, shift=total)


def _unit(milliseconds: float) -> tuple[str | None, str]:
    for name, size in _UNITS:
        if milliseconds % size == 0:
            return name, f"{milliseconds / size:.0f}"
    return None, ""


def _duration(milliseconds: float) -> str:
    name, number = _unit(milliseconds)
    if name is None:
        return f"duration(seconds={constant(milliseconds / 1000).text})"
    return f"duration({name}={number})"
