"""Variables of the steps dialect: a list of objects that name themselves."""

from __future__ import annotations

from typing import Any

from dag_factory.dialects.converted import Converted

_HINT = 'write [{"name": "lead", "type": "object"}]'


def read_variables(result: Converted, written: Any) -> None:
    """Put the variables into the canonical document by their names."""
    if isinstance(written, dict):
        result.document["variables"] = written
        return
    if not isinstance(written, list):
        result.refuse(["variables"], "`variables` is a list", _HINT)
        return
    variables: dict[str, Any] = {}
    for index, one in enumerate(written):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name or name in variables:
            message = f"variable {name!r} stands twice" if name else "a variable has a name"
            result.refuse(["variables", index], message, _HINT)
            continue
        default = "defaultValue" if "defaultValue" in one else "default"
        variables[name] = {"default" if key == default else key: one[key] for key in one if key != "name"}
        result.place(["variables", name], ["variables", index])
        result.place(["variables", name, "default"], ["variables", index, default])
    result.document["variables"] = variables
