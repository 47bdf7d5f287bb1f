"""The JSON Schema of the canonical form, for editors and for programs that write definitions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dag_factory.catalogue import Catalogue, NodeType
from dag_factory.definition import Variable, Workflow

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Any option may be an expression instead of a value of its own type.
_TEMPLATE = {"type": "string", "pattern": r"\{\{[\s\S]*\}\}"}


def workflow_schema(catalogue: Catalogue) -> dict[str, Any]:
    """The schema of a definition; a node's `config` follows its `type`.

    Types that are not in the catalogue are let through: other packages may provide them.
    """
    schema = Workflow.model_json_schema()
    definitions = schema["$defs"]
    rules = []
    for name in catalogue.types():
        node_type = catalogue.get(name)
        if node_type is not None:
            definitions.update(_config(name, node_type))
            config = {"properties": {"config": {"$ref": f"#/$defs/{name}"}}}
            if _must_be_given(node_type.Config):
                config["required"] = ["config"]  # type: ignore[assignment]
            rules.append(
                {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": config}
            )
    definitions["Node"]["allOf"] = rules
    # A variable may be its default value alone.
    schema["properties"]["variables"]["additionalProperties"] = {}
    schema["$defs"].pop(Variable.__name__, None)
    return {"$schema": _DIALECT, **schema}


def _must_be_given(config: type[BaseModel]) -> bool:
    return any(field.is_required() for field in config.model_fields.values())


def _config(name: str, node_type: type[NodeType]) -> dict[str, Any]:
    """The schema of a type's options and of what they refer to, by names that are its own."""
    schema = node_type.Config.model_json_schema(by_alias=True)
    inner = schema.pop("$defs", {})
    found = {name: schema, **{f"{name}.{key}": value for key, value in inner.items()}}
    return {key: _with_templates(_renamed(value, name), node_type) for key, value in found.items()}


def _renamed(value: Any, name: str) -> Any:
    """References to `#/$defs/X` as references to what `X` of this type is called in the whole schema."""
    if isinstance(value, list):
        return [_renamed(item, name) for item in value]
    if isinstance(value, dict):
        return {
            key: item.replace("#/$defs/", f"#/$defs/{name}.")
            if key == "$ref" and isinstance(item, str)
            else _renamed(item, name)
            for key, item in value.items()
        }
    return value


def _with_templates(schema: dict[str, Any], node_type: type[NodeType]) -> dict[str, Any]:
    """The schema of an object, whose options may also be templates; a trigger's may not."""
    if node_type.is_trigger or "properties" not in schema:
        return schema
    options = {
        key: {
            "anyOf": [_with_templates_inside(option), _TEMPLATE],
            **{word: option[word] for word in ("description", "default") if word in option},
        }
        for key, option in schema["properties"].items()
    }
    return {**schema, "properties": options}


def _with_templates_inside(option: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value; what lists and mappings in it hold may also be templates."""
    opened = dict(option)
    for key in ("items", "additionalProperties"):
        if isinstance(option.get(key), dict) and option[key]:
            opened[key] = {"anyOf": [_with_templates_inside(option[key]), _TEMPLATE]}
    if "anyOf" in option:
        opened["anyOf"] = [_with_templates_inside(one) for one in option["anyOf"]]
    return opened
