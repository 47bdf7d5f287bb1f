"""A workflow's variables as JSON Schemas: what a run may give for each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

# The field of the trigger form that answers a trigger's question.
CONFIRMED = "oneo_confirmed"

_JSON_TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"]


def misfits(
    variables: Mapping[str, Mapping[str, Any]], data: Mapping[str, Any], *, unknown: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) for each required variable the data does not give, and each value of another type.

    Args:
        variables: The variables as the plan holds them.
        data: What a run is given.
        unknown: Names that are given, but with values nobody knows yet.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - most commands start nothing

    for name, variable in variables.items():
        if name in unknown:
            continue
        value = data.get(name)
        if value is None:
            if variable.get("required") and variable.get("default") is None:
                yield name, f"variable {name!r} is required"
            continue
        schema = {key: item for key, item in variable.items() if key not in ("default", "required")}
        for error in Draft202012Validator(schema).iter_errors(value):
            yield name, f"variable {name!r}: {error.message}"


def must_be_given(variable: Mapping[str, Any], trigger_types: list[str]) -> bool:
    """Whether a run cannot start without it: events and clocks give no variables, so only people can be asked."""
    only_people_start_it = all(type_name == "trigger_manual" for type_name in trigger_types)
    return bool(variable.get("required")) and "default" not in variable and only_people_start_it


def schema_of(variable: Mapping[str, Any], *, nullable: bool) -> dict[str, Any]:
    """The JSON Schema of a variable's values.

    Args:
        variable: The variable as the plan holds it, without what was left out.
        nullable: Whether null stands for a value that was not given.
    """
    schema = {key: value for key, value in variable.items() if key not in ("default", "required")}
    if nullable:
        own = schema.get("type")
        schema["type"] = [own, "null"] if own else _JSON_TYPES
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    elif "type" not in schema:
        schema["type"] = _JSON_TYPES
    return schema
