"""Options of node types as the React Flow dialect writes them, as ours."""

from __future__ import annotations

from typing import Any, Final

Steps = tuple[str | int, ...]

_UNITS: Final = {
    "seconds": "delay_seconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "weeks": "weeks",
}
_RENAMED: Final[dict[str, dict[str, str]]] = {
    "http_request": {"timeout": "timeout_seconds"},
    "webhook_out": {"url": "webhook_url"},
    "approval": {
        "title": "approval_title",
        "description": "approval_description",
        "assigned_to_id": "assigned_to",
    },
    "trigger_scheduled": {"cron": "cron_expression"},
    "trigger_record_updated": {"field": "specific_fields"},
}
_AI: Final[dict[str, str]] = {"allowed_tools": "tools_enabled"}
_OF_THE_CANVAS: Final = frozenset({"label", "name", "icon", "color", "selected"})


def of_the_canvas(data: dict[str, Any]) -> frozenset[str]:
    """Keys of a node's data that only the canvas reads; where its options have a place of their own, all others."""
    return _OF_THE_CANVAS & data.keys()


def options(node_type: str, data: dict[str, Any]) -> list[tuple[str, Any, Steps, bool]]:
    """(our name, value, where it stands in the data, whether its inside is the same) of each option."""
    found: list[tuple[str, Any, Steps, bool]] = []
    renamed = _RENAMED.get(node_type, {})
    unit = data.get("delay_type", "seconds")
    span = _UNITS.get(unit) if isinstance(unit, str) else None
    in_units = node_type == "wait_delay" and "delay_value" in data
    for name, value in data.items():
        if in_units and name == "delay_value":
            found.append((span or "delay_seconds", value, (name,), True))
        elif in_units and name == "delay_type" and span is not None:
            continue
        elif node_type.startswith("ai_") and name == "ai_config" and isinstance(value, dict):
            for inner, given in value.items():
                if inner != "enable_tools":
                    found.append((_AI.get(str(inner), str(inner)), given, (name, str(inner)), True))
        elif node_type == "trigger_record_updated" and name == "field":
            found.append(("specific_fields", [value], (name,), False))
        else:
            found.append((renamed.get(name, name), value, (name,), True))
    return found
