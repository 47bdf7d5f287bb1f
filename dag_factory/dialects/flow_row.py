"""What a workflow row of the React Flow dialect says beside its drawing: trigger, limits, audit fields."""

from __future__ import annotations

from typing import Any, Final

from dag_factory.dialects import flow_nodes
from dag_factory.dialects.converted import Converted, free_name
from dag_factory.dialects.flow_triggers import with_filters
from dag_factory.dialects.listed_order import listed_order
from oneo.suggest import did_you_mean

CARRIED: Final = frozenset(
    {"id", "name", "description", "variables", "outputs", "settings", "error_handling", "nodes", "edges"}
)
_OF_THE_STORE: Final = frozenset(
    {"status", "version", "created_by", "created_at", "updated_at", "updated_by", "tenant"}
)
_HOURLY: Final = "max_executions_per_hour"
_KNOWN: Final = CARRIED | {
    "workflow_definition", "trigger_type", "trigger_config", "retry_count", "timeout_minutes", _HOURLY
}  # fmt: skip
_TRIGGERS: Final = {
    "manual": "trigger_manual",
    "record_created": "trigger_record_created",
    "record_updated": "trigger_record_updated",
    "record_deleted": "trigger_record_deleted",
    "field_changed": "trigger_record_updated",
    "scheduled": "trigger_scheduled",
    "webhook": "trigger_webhook",
}
_OF_RECORDS: Final = frozenset({"record_created", "record_updated", "record_deleted", "field_changed"})


def read_row(result: Converted, row: dict[str, Any], types: dict[str, Any]) -> None:
    """Put trigger and limits of a row into the canonical document.

    Args:
        result: Holds the canonical document.
        row: As written.
        types: The types of the drawn nodes by their ids.
    """
    if "trigger_type" in row:
        _trigger(result, row, types)
    out = result.document
    settings = dict(out["settings"]) if isinstance(out.get("settings"), dict) else {}
    if "timeout_minutes" in row:
        settings["timeout_minutes"] = row["timeout_minutes"]
        result.place(["settings", "timeout_minutes"], ["timeout_minutes"])
    if _HOURLY in row:
        start = settings.get("start")
        settings["start"] = {_HOURLY: row[_HOURLY], **(start if isinstance(start, dict) else {})}
        result.place(["settings", "start", _HOURLY], [_HOURLY])
    if settings:
        out["settings"] = settings
    if "retry_count" in row:
        handling = out.get("error_handling")
        given = handling if isinstance(handling, dict) else {}
        out["error_handling"] = {"retry_count": row["retry_count"], **given}
        result.place(["error_handling", "retry_count"], ["retry_count"])


def _trigger(result: Converted, row: dict[str, Any], types: dict[str, Any]) -> None:
    kind, nodes, edges = row["trigger_type"], result.document.get("nodes"), result.document.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list | None):
        return
    if not isinstance(kind, str) or kind not in _TRIGGERS:
        hint = did_you_mean(str(kind), _TRIGGERS)
        result.refuse(["trigger_type"], f"there is no trigger type {kind!r}", hint)
        return
    if any(str(node_type).startswith("trigger_") for node_type in types.values()):
        result.note("`trigger_type` is left out, since a trigger is among the nodes")
        return
    index = len(nodes)
    written = row.get("trigger_config")
    name = free_name("trigger", types)
    result.place(["nodes", index], ["trigger_type"], alike=False)
    result.place(["nodes", index, "config"], ["trigger_config"])
    config = {}
    given = written if isinstance(written, dict) else {}
    if kind in _OF_RECORDS:
        given = with_filters(result, given, ["nodes", index, "config"])
    for key, value, inside, alike in flow_nodes.options(_TRIGGERS[kind], given):
        result.place(["nodes", index, "config", key], ["trigger_config", *inside], alike=alike)
        config[key] = value
    if edges is None:
        edges = result.document["edges"] = listed_order(result, nodes)
    led_to = {str(edge.get("target")) for edge in edges if isinstance(edge, dict)}
    nodes.append({"id": name, "type": _TRIGGERS[kind], "config": config})
    edges += [{"source": name, "target": node_id} for node_id in types if node_id not in led_to]


def other_keys(result: Converted, row: dict[str, Any], drawn: dict[str, Any], root: list[int | str]) -> None:
    """Report the keys that are not read.

    Args:
        result: Takes the reports.
        row: The document as written.
        drawn: The drawing: the row itself, or a part of it.
        root: Where the drawing stands in the row.
    """
    owners: list[tuple[list[int | str], dict[str, Any]]] = [([], row), *([(root, drawn)] if root else [])]
    for place, owner in owners:
        for key in sorted(owner.keys() - _KNOWN - {"viewport"}):
            if key in _OF_THE_STORE:
                result.note(f"`{key}` is kept by the store with each published version, so it is not read")
            else:
                result.refuse([*place, key], f"unknown key {key!r}", did_you_mean(key, _KNOWN))
