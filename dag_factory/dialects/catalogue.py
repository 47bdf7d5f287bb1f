"""The canonical dialect: other names of types, and shorthands that need an author's decision."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from dag_factory.dialects.abbreviations import read_abbreviations
from dag_factory.dialects.converted import Converted
from dag_factory.dialects.sub_nodes import expand
from dag_factory.dialects.type_names import ALIASES

NAME = "catalogue"


def convert(document: dict[str, Any]) -> Converted:
    """Read a document that is canonical up to names of types and shorthands."""
    result = Converted(NAME, document)
    expand(result)
    document = result.document
    nodes = document.get("nodes")
    if isinstance(nodes, list):
        problems = len(result.problems)
        read = read_abbreviations(result, [_renamed(result, node, index) for index, node in enumerate(nodes)])
        for index, node in enumerate(read):
            if _type(node) == "condition":
                _condition(result, node, index)
        if any(new is not old for new, old in zip(read, nodes, strict=True)):
            result.document = {**document, "nodes": read}
        # Nodes of a loop's list stand elsewhere in the author's document.
        result.problems[problems:] = [
            replace(problem, path=result.original_path(problem.path))
            for problem in result.problems[problems:]
        ]
    return result


def _renamed(result: Converted, node: Any, index: int) -> Any:
    written = _type(node)
    if written not in ALIASES:
        return node
    result.note(f"node {_id(node)!r}: type {written!r} is read as {ALIASES[written]!r}")
    config = node.get("config")
    if written == "trigger_field_changed" and isinstance(config, dict):
        node = {
            **node,
            "config": {_OF_FIELD.get(key, key): _listed(key, value) for key, value in config.items()},
        }
        place: list[int | str] = ["nodes", index, "config"]
        for key in _OF_FIELD.keys() & config.keys():
            alike = isinstance(config[key], list)
            result.place([*place, _OF_FIELD[key]], [*place, key], alike=alike)
    if written == "merge" and isinstance(node.get("config", {}), dict):
        node = {**node, "config": {"mode": "merge", **node.get("config", {})}}
    return {**node, "type": ALIASES[written]}


# Options of trigger_field_changed that trigger_record_updated has for several fields and values.
_OF_FIELD = {
    "field": "specific_fields",
    "from": "from_values",
    "from_value": "from_values",
    "to": "to_values",
    "to_value": "to_values",
}


def _listed(key: str, value: Any) -> Any:
    return value if key not in _OF_FIELD or isinstance(value, list) else [value]


def _type(node: Any) -> str:
    written = node.get("type") if isinstance(node, dict) else None
    return written if isinstance(written, str) else ""


def _id(node: dict[str, Any]) -> str | None:
    found = node.get("id")
    return found if isinstance(found, str) else None


def _condition(result: Converted, node: dict[str, Any], index: int) -> None:
    """A condition whose shorthand leaves open what it compares: only its author knows."""
    node_id = _id(node)
    config = node.get("config", {})
    if not isinstance(config, dict) or "conditions" in config:
        return
    edges = result.document.get("edges")
    leads = [
        (at, edge)
        for at, edge in enumerate(edges if isinstance(edges, list) else [])
        if isinstance(edge, dict) and isinstance(edge.get("condition"), str) and edge.get("source") == node_id
    ]
    place: list[int | str] = ["nodes", index, "config"]
    shorthand = next((key for key in ("threshold", "check", "if", "condition") if key in config), None)
    if shorthand is None:
        return
    compared = {
        "threshold": f"nodes.ID.score >= {_text(config.get('threshold'))}",
        "check": f"record.{config.get('check')} == 'high'",
    }.get(shorthand, config[shorthand])
    names = [edge["condition"] for _, edge in leads] or ["yes", "no"]
    targets = [edge.get("target") for _, edge in leads] or ["NODE", "OTHER_NODE"]
    branches: list[dict[str, Any]] = [{"if": compared, "then": targets[0], "label": names[0]}]
    if len(names) > 1:
        branches.append({"else": targets[-1], "label": names[-1]})
    message = "a condition says what it compares in `conditions`, and this one does not"
    hint = f'write, for example, "conditions": {json.dumps(branches, ensure_ascii=False)}'
    result.refuse([*place, shorthand], message, hint, node=node_id, at=place)
    for at, _ in leads:
        result.explained.append(f"$.edges[{at}].condition")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
