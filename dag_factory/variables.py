"""A workflow's variables as JSON Schemas: what a run may give for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The field of the trigger form that answers a trigger's question.
CONFIRMED = "oneo_confirmed"

_JSON_TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"]


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
