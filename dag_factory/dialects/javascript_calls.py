"""Functions, methods and properties of JavaScript, as functions of this product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dag_factory.dialects.javascript_values import ATOM, Value, as_number, in_parentheses, negated

# Each with its counterpart (an expression for the value and the arguments) by the number of arguments it takes.
Counterparts = Mapping[str, Mapping[int, str]]

_METHODS: Final[Counterparts] = {
    "includes": {1: "contains({0}, {1})"},
    "startsWith": {1: "startswith({0}, {1})"},
    "endsWith": {1: "endswith({0}, {1})"},
    "indexOf": {1: "index({0}, {1})"},
    "hasOwnProperty": {1: "contains({0}, {1})"},
    "toLowerCase": {0: "lower({0})"},
    "toUpperCase": {0: "upper({0})"},
    "trim": {0: "trim({0})"},
    "toString": {0: "string({0})"},
    "split": {1: "split({0}, {1})"},
    "join": {0: 'join({0}, ",")', 1: "join({0}, {1})"},
    "replace": {2: "replace({0}, {1}, {2}, 1)"},
    "replaceAll": {2: "replace({0}, {1}, {2})"},
    "slice": {1: "{0}[{1}:]", 2: "{0}[{1}:{2}]"},
    "substring": {1: "{0}[{1}:]", 2: "{0}[{1}:{2}]"},
    "at": {1: "{0}[{1}]"},
    "charAt": {1: "{0}[{1}]"},
}
# Of moments, as the clocks of the workflow's time zone show them.
_OF_DATES: Final[Counterparts] = {
    "getFullYear": {0: 'int(date.format({0}, "YYYY"))'},
    "getMonth": {0: '(int(date.format({0}, "M")) - 1)'},
    "getDate": {0: 'int(date.format({0}, "D"))'},
    "getDay": {0: "(date.weekday({0}) % 7)"},
    "getHours": {0: 'int(date.format({0}, "H"))'},
    "getMinutes": {0: 'int(date.format({0}, "m"))'},
    "toISOString": {0: "iso({0})"},
}
_FUNCTIONS: Final[Counterparts] = {
    "Number": {1: "float({0})"},
    "parseFloat": {1: "float({0})"},
    "parseInt": {1: "int({0})", 2: "int({0})"},
    "String": {1: "string({0})"},
    "Array.isArray": {1: "({0} is list)"},
    "Object.keys": {1: "keys({0})"},
    "Object.values": {1: "values({0})"},
    "Math.abs": {1: "abs({0})"},
    "Math.ceil": {1: "ceil({0})"},
    "Math.floor": {1: "floor({0})"},
    "Math.round": {1: "round({0})"},
    "Math.max": {
        count: "max({})".format(", ".join(f"{{{n}}}" for n in range(count))) for count in range(2, 9)
    },
    "Math.min": {
        count: "min({})".format(", ".join(f"{{{n}}}" for n in range(count))) for count in range(2, 9)
    },
}
_TYPES: Final = {"string": "string", "number": "number", "boolean": "boolean", "object": "object"}


def of_method(owner: Value, name: str, arguments: Sequence[Value]) -> Value | None:
    """What a method of a value gives; None where it has no counterpart."""
    if name in ("getTime", "valueOf") and not arguments:
        return owner
    known = _OF_DATES if owner.is_date and name in _OF_DATES else _METHODS
    return _called(known.get(name, {}), [in_parentheses(owner, ATOM), *arguments], 1)


def of_function(name: str, arguments: Sequence[Value]) -> Value | None:
    """What a function gives; None where it has no counterpart."""
    if name == "Boolean" and len(arguments) == 1:
        return negated("!", negated("!", arguments[0]))
    return _called(_FUNCTIONS.get(name, {}), arguments, 0)


def of_property(owner: Value, name: str) -> Value:
    """What stands in a property of a value."""
    if name == "length":
        return Value(f"length({owner.text})", ATOM)
    return Value(
        f"{in_parentheses(owner, ATOM).text}.{name}", ATOM, is_path=owner.is_path, is_member=owner.is_path
    )


def of_type(value: Value, name: str, *, wanted: bool) -> Value | None:
    """Whether a value has, or has not, the type of a name; None where that is no type here."""
    text = f"default({value.text}, null)" if value.is_path else in_parentheses(value, ATOM).text
    if name == "undefined":
        return Value(f"{text} {'==' if wanted else '!='} null", 5)
    if name not in _TYPES:
        return None
    return Value(f"({text} {'is' if wanted else 'is not'} {_TYPES[name]})", ATOM)


def _called(known: Mapping[int, str], values: Sequence[Value], owners: int) -> Value | None:
    form = known.get(len(values) - owners)
    return (
        Value(form.format(*(as_number(value).text for value in values)), ATOM) if form is not None else None
    )
