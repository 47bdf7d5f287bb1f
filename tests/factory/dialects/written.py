"""Small definitions in canonical form."""

from __future__ import annotations

from typing import Any

from dag_factory.examine import plan_of
from oneo_operators.catalogue import catalogue

START = {"id": "start", "type": "trigger_manual"}


def node(node_id: str, node_type: str, /, **config: Any) -> dict[str, Any]:
    """Any node."""
    return {"id": node_id, "type": node_type, "config": config}


def notify(node_id: str = "tell", /) -> dict[str, Any]:
    """A node that needs nothing from outside."""
    return node(node_id, "task_notify", recipients=["ann@example.com"], title="Hello", message="Hi")


def edge(source: str, target: str, condition: str | None = None) -> dict[str, Any]:
    """An edge."""
    return {"source": source, "target": target, **({"condition": condition} if condition else {})}


def chain(*nodes: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A workflow without edges: a manual trigger, then the nodes in their order."""
    return {"id": "w", "name": "W", "nodes": [START, *nodes], **rest}


def graph(nodes: list[dict[str, Any]], edges: list[Any]) -> dict[str, Any]:
    """A workflow with edges; the manual trigger is its first node."""
    return {"id": "w", "name": "W", "nodes": [START, *nodes], "edges": edges}


def show(name: str, /, **values: Any) -> dict[str, Any]:
    """A node whose output tells what it saw."""
    return node(name, "merge_data", merge_sources=[{"source": "static", "data": values}])


def loops(document: dict[str, Any]) -> dict[str, list[str]]:
    """The bodies of a document's loops, by loop node."""
    plan = plan_of(document, catalogue())
    return {one.id: [inner.id for inner in one.body.nodes] for one in plan.nodes if one.body is not None}
