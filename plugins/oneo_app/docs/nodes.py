"""The reference of node types, from their classes."""

from __future__ import annotations

import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from dag_factory.catalogue import NodeType, Retry
from dag_factory.config import config_problems
from dag_factory.definition import Node
from oneo_app.docs.markdown import code, table
from oneo_app.docs.markdown import page as document
from oneo_app.stack.layout import project_root
from oneo_operators.base import NodeOperator
from oneo_operators.catalogue import catalogue

# Whole definitions, checked by a test; the first that holds a type gives its example.
EXAMPLES = ("docs/examples/*.json", "include/workflows/*.json")
_EFFECTS = {
    "pure": "pure: changes nothing",
    "store": "store: writes to the oneo database, in one transaction with its log row",
    "external": "external: reaches another system",
}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minProperties": "at least {} entries",
    "pattern": "matches `{}`",
}


def page() -> str:
    """The whole page."""
    found: dict[str, list[type[NodeOperator]]] = defaultdict(list)
    for node_type in catalogue().all():
        found[node_type.category].append(node_type)
    intro = (
        "Every option may be a template such as `{{ record.name }}` (see [expressions](expressions.md)); the "
        "outcome must then fit the option's type. `oneo nodes --json` prints the JSON Schema of each config."
    )
    parts = [
        "# Node types",
        intro,
        "\n".join(
            f"- {category}: " + ", ".join(f"[{one.type}](#{one.type})" for one in found[category])
            for category in sorted(found)
        ),
    ]
    for category in sorted(found):
        parts.append(f"## Category `{category}`")
        for node_type in found[category]:
            parts += _node(node_type)
    return document(*parts)


def _node(node_type: type[NodeOperator]) -> Iterator[str]:
    yield f"### {node_type.type}"
    yield node_type.description
    yield f"- Effect: {_EFFECTS[node_type.effect]}.\n- Result: {_summary(node_type.run)}\n- {_retries(node_type)}"
    yield from _options(node_type)
    example = json.dumps(example_of(node_type), indent=2, ensure_ascii=False)
    yield f"```json\n{example}\n```"


def _summary(function: Any) -> str:
    return (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


def _retries(node_type: type[NodeOperator]) -> str:
    if node_type.is_trigger:
        return "Retries: none are needed."
    own = "retry_override" in vars(node_type)
    also = f" The config decides as well: {_summary(node_type.retry_override)}" if own else ""
    return f"Retries: {_retry(node_type.default_retry)}.{also}"


def _retry(retry: Retry) -> str:
    if not retry.count:
        return "none by default"
    growth = "doubling each time" if retry.exponential else "always the same"
    return f"{retry.count} by default, the first after {retry.delay_seconds:g} s, {growth}"


def _options(node_type: type[NodeOperator]) -> Iterator[str]:
    schema = node_type.Config.model_json_schema(by_alias=True)
    if not schema.get("properties"):
        yield "It has no options."
        return
    yield _table(schema)
    for name, part in sorted(schema.get("$defs", {}).items()):
        if part.get("properties"):
            yield f"Each `{name}`: {part.get('description', '')}"
            yield _table(part)


def _table(schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = []
    for name, option in schema["properties"].items():
        default = "required" if name in required else _default(option)
        description = option.get("description", "")
        rows.append((code(name), _type(option), default, ", ".join(_bounds(option)), description))
    return table(("option", "type", "default", "bounds", "meaning"), rows)


def _default(option: Mapping[str, Any]) -> str:
    if "default" not in option or option["default"] is None:
        return "-"
    return code(json.dumps(option["default"], ensure_ascii=False))


def _type(option: Mapping[str, Any]) -> str:
    """The type of an option in words."""
    if "$ref" in option:
        return code(option["$ref"].rpartition("/")[2])
    if "const" in option:
        return code(json.dumps(option["const"]))
    if "enum" in option:
        return " or ".join(code(json.dumps(value)) for value in option["enum"])
    if "anyOf" in option:
        parts = [_type(part) for part in option["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(parts)) or "null"
    kind = option.get("type")
    if kind == "array":
        return f"list of {_type(option.get('items', {}))}"
    if kind == "object" and isinstance(option.get("additionalProperties"), dict):
        return f"object of {_type(option['additionalProperties'])}"
    if kind == "string" and "format" in option:
        return str(option["format"])
    return str(kind or "any value")


def _bounds(option: Mapping[str, Any]) -> Iterator[str]:
    for part in (option, *option.get("anyOf", ())):
        yield from (text.format(part[key]) for key, text in _BOUNDS.items() if key in part)


def example_of(node_type: type[NodeType], root: Path | None = None) -> dict[str, Any]:
    """A node of the type: out of the examples and samples, else the least that is valid."""
    for pattern in EXAMPLES:
        for path in sorted((root or project_root()).glob(pattern)):
            for node in json.loads(path.read_text(encoding="utf-8")).get("nodes", []):
                if node["type"] == node_type.type:
                    return dict(node)
    return _built(node_type)


def _built(node_type: type[NodeType]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name, field in node_type.Config.model_fields.items():
        if field.default is not PydanticUndefined or field.default_factory is not None:
            continue
        key = field.alias or name
        shown = re.search(r"`([^`]+)`", field.description or "")
        for value in (shown.group(1) if shown else "", "text", f"{{{{ variables.{key} }}}}"):
            trial = Node(id="example", type=node_type.type, config={**config, key: value})
            if value and not any(f".{key}" in one.path for one in config_problems(trial, node_type, "$")):
                config[key] = value
                break
    return {"id": f"my_{node_type.type}", "type": node_type.type, "config": config}
