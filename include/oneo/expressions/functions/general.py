"""Defaults, JSON, objects, random values."""

from __future__ import annotations

import hashlib
import json
import uuid as uuids
from collections.abc import Mapping
from typing import Any, NoReturn

from oneo.errors import ExpressionError
from oneo.expressions.functions.registry import function, need_object, need_text, need_whole
from oneo.expressions.lookup import MissingError, refuse_name, step
from oneo.expressions.run import Run
from oneo.expressions.values import measure

_JSON_DEPTH = 64


@function("default", "d", examples=(("none | default('n/a')", "n/a"), ("'' | default('n/a', true)", "n/a")))
def default(_run: Run, value: Any, fallback: Any = "", also_empty: bool = False) -> Any:
    """The value, or the fallback where it is missing or null; with `also_empty` also where it is empty or 0."""
    return fallback if value is None or (also_empty and not value) else value


@function("json", "tojson", "to_json", examples=(("{'a': [1, none]} | json", '{"a":[1,null]}'),))
def to_json(run: Run, value: Any, indent: Any = None) -> str:
    """The value as JSON text."""
    return run.json(value, None if indent is None else need_whole(indent, least=0, most=8))


@function("from_json", "parse_json", "fromjson", examples=(("from_json('[1, 2]') | sum", "3"),))
def from_json(run: Run, value: Any) -> Any:
    """The value a JSON text stands for."""
    source = need_text(run, value)
    run.fits_text(len(source))
    if _nesting(source) > _JSON_DEPTH:
        raise ExpressionError(f"the JSON is nested more than {_JSON_DEPTH} levels deep")
    try:
        made = json.loads(source, parse_constant=_refuse_constant, parse_float=_finite)
    except ValueError as exc:
        raise ExpressionError(f"the text is not JSON: {exc}") from None
    run.spend(len(source) >> 6)
    measure(made, items=run.budget.items, characters=run.budget.text)
    return made


@function("keys", examples=(("{'a': 1, 'b': 2} | keys | join(' ')", "a b"),))
def keys(run: Run, value: Any) -> list[Any]:
    """The names of an object's fields."""
    return list(need_object(run, value))


@function("values", examples=(("{'a': 1, 'b': 2} | values | sum", "3"),))
def values(run: Run, value: Any) -> list[Any]:
    """The values of an object's fields."""
    found = need_object(run, value)
    return [step(found, key, "the object") for key in found]


@function("items", "entries", examples=(("{'a': 1} | items", '[["a",1]]'),))
def items(run: Run, value: Any) -> list[Any]:
    """The fields of an object as pairs of name and value."""
    found = need_object(run, value)
    return [[key, step(found, key, "the object")] for key in found]


@function("merge", examples=(("merge({'a': 1}, {'a': 2, 'b': 3})", '{"a":2,"b":3}'),))
def merge(run: Run, value: Any, *others: Any) -> dict[str, Any]:
    """One object with the fields of all; the last one wins."""
    made = dict(need_object(run, value))
    for other in others:
        made.update(need_object(run, other))
    run.fits_items(len(made))
    return made


@function("get", examples=(("get({'a': 1}, 'a')", "1"), ("get({'a': 1}, 'b', 'none')", "none")))
def get(_run: Run, value: Any, key: Any, fallback: Any = None) -> Any:
    """A field of an object or an item of a list, or the fallback where it is missing."""
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise ExpressionError("needs a field's name or a position")
    if isinstance(key, str):
        refuse_name(key)
    if value is None:
        return fallback
    if isinstance(value, Mapping | list | tuple):
        try:
            return step(value, key, "the value")
        except MissingError:
            return fallback
    raise ExpressionError("needs an object or a list")


@function("random", examples=(("random() < 1", "true"),))
def random(run: Run) -> float:
    """A number from 0 to below 1; a retry of the same node sees the same one."""
    return int.from_bytes(_drawn(run)[:6]) / 2**48


@function("random_int", examples=(("random_int(1, 6) <= 6", "true"),))
def random_int(run: Run, least: Any, most: Any) -> int:
    """A whole number from `least` to `most`, both included; a retry sees the same one."""
    low, high = need_whole(least), need_whole(most)
    if high < low:
        raise ExpressionError("the second number is below the first")
    return low + int.from_bytes(_drawn(run)[:16]) % (high - low + 1)


@function("uuid", examples=(("uuid() | length", "36"),))
def uuid(run: Run) -> str:
    """A random identifier; a retry of the same node sees the same one."""
    return str(uuids.UUID(bytes=_drawn(run)[:16], version=4))


def _drawn(run: Run) -> bytes:
    if run.scope.seed is None:
        raise ExpressionError("random values are not available here")
    return hashlib.sha256(f"{run.scope.seed}\n{run.scope.draw()}".encode("utf-8", "replace")).digest()


def _nesting(source: str) -> int:
    """How deep a JSON text is nested, found without reading it recursively."""
    depth = deepest = 0
    quoted = escaped = False
    for character in source:
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0.0:
        raise ValueError(f"{digits[:40]} is out of range")
    return number
