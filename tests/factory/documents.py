"""Small workflow definitions that tests are made of."""

from __future__ import annotations

from typing import Any

START = {"id": "start", "type": "trigger_manual"}


def notify(node_id: str = "tell", /, **config: Any) -> dict[str, Any]:
    """A node that needs nothing from outside."""
    full = {"recipients": ["ann@example.com"], "title": "Hello", "message": "Hi", **config}
    return {"id": node_id, "type": "task_notify", "config": full}


def node(node_id: str, node_type: str, /, **config: Any) -> dict[str, Any]:
    """Any node."""
    return {"id": node_id, "type": node_type, "config": config}


def route(*conditions: dict[str, Any]) -> dict[str, Any]:
    """A condition node called `route`."""
    return node("route", "condition", conditions=list(conditions))


def clock(cron: str = "@daily", **config: Any) -> dict[str, Any]:
    """A trigger called `clock`."""
    return node("clock", "trigger_scheduled", cron_expression=cron, **config)


def edge(source: str, target: str, condition: str | None = None, **rest: Any) -> dict[str, Any]:
    """An edge."""
    named = {} if condition is None else {"condition": condition}
    return {"source": source, "target": target, **named, **rest}


def chain(*nodes: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A workflow without edges: a manual trigger, then the nodes in their order."""
    return {"id": "w", "name": "W", "nodes": [START, *nodes], **rest}


def graph(nodes: list[dict[str, Any]], edges: list[Any], **rest: Any) -> dict[str, Any]:
    """A workflow with edges; the manual trigger is its first node."""
    return {"id": "w", "name": "W", "nodes": [START, *nodes], "edges": edges, **rest}
