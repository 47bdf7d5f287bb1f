"""A definition as React Flow draws it: every node with a position, every way out as a handle."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from dag_factory.definition import Node, Workflow
from dag_factory.dialects.flow_values import Values
from dag_factory.dialects.writing import Rewritten, about, edges_of, given
from dag_factory.graph import find_cycle, topological_order

_WIDTH: Final = 260
_HEIGHT: Final = 120


def write_reactflow(workflow: Workflow) -> Rewritten:
    """Write a definition in the React Flow dialect; reading it gives the same definition."""
    result = Rewritten()
    edges = edges_of(workflow)
    places = _layout([node.id for node in workflow.nodes], edges)
    result.document = {
        **about(workflow),
        "nodes": [_node(node, places[node.id], result) for node in workflow.nodes],
        "edges": [_edge(edge, number) for number, edge in enumerate(edges, 1)],
    }
    if any(node.position is None for node in workflow.nodes):
        result.approximations.append("nodes without a position are placed in columns, by what leads to them")
    return result


def _node(node: Node, place: dict[str, float], result: Rewritten) -> dict[str, Any]:
    if Values().read(node.config) != node.config:
        result.approximations.append(
            f"node {node.id!r}: a name in braces such as {{name}} is a text here, and an expression there"
        )
    drawn: dict[str, Any] = {"id": node.id, "type": node.type, "position": node.position or place}
    drawn["data"] = {**({"label": node.name} if node.name else {}), "config": node.config}
    if node.error_handling is not None:
        drawn["error_handling"] = given(node.error_handling)
    return drawn


def _edge(edge: dict[str, Any], number: int) -> dict[str, Any]:
    kinds = [kind for kind in ("loop", "loop_back", "loop_complete") if edge.get(kind)]
    handle = edge.get("condition") or next(iter(kinds), None)
    return {"id": f"e{number}", **edge, **({"sourceHandle": handle} if handle else {})}


def _layout(ids: list[str], edges: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Columns from left to right: each node one behind the last that leads to it."""
    pairs = [
        (edge["source"], edge["target"])
        for edge in edges
        if not edge.get("loop_back") and edge["source"] in ids and edge["target"] in ids
    ]
    while cycle := find_cycle(ids, pairs):
        pairs.remove((cycle[-2], cycle[-1]))
    column = dict.fromkeys(ids, 0)
    sources = {node: [source for source, target in pairs if target == node] for node in ids}
    for node in topological_order(ids, pairs):
        column[node] = max((column[source] + 1 for source in sources[node]), default=0)
    row: Counter[int] = Counter()
    places = {}
    for node in ids:
        places[node] = {"x": float(column[node] * _WIDTH), "y": float(row[column[node]] * _HEIGHT)}
        row[column[node]] += 1
    return places
