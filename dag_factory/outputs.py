"""A workflow's outputs: what their types say about values."""

from __future__ import annotations

from typing import Any


def type_problem(name: str, wanted: str | None, value: Any) -> str | None:
    """What is wrong with an output's value; None where it is of the declared type.

    Args:
        name: The output.
        wanted: Its declared JSON type; None for any.
        value: A JSON value.
    """
    given = _type_of(value)
    fits = wanted in (None, given) or (wanted == "number" and given == "integer")
    return None if fits else f"output {name!r} is declared as {wanted}, and its value is {given}"


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
