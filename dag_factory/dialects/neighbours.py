"""What stands before and behind a node, in a document whose form nobody has checked yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from dag_factory.dialects.converted import is_id
from dag_factory.plan import ERROR


class Neighbours:
    """The ways between nodes, by the edges or by the listed order; those back into loops and of errors left out.

    Args:
        nodes: As written.
        edges: As written; None where there are none.
    """

    def __init__(self, nodes: Sequence[Any], edges: Any) -> None:
        self._by_id: dict[str, dict[str, Any]] = {node["id"]: node for node in nodes if is_node(node)}
        self._before: dict[str, list[str]] = {}
        self._after: dict[str, list[tuple[str, str | None]]] = {}
        listed: list[Any] = [{"source": source, "target": target} for source, target in pairwise(self._by_id)]
        for edge in edges if isinstance(edges, list) else listed:
            if not isinstance(edge, dict) or edge.get("loop_back") or edge.get("condition") == ERROR:
                continue
            ends: list[Any] = [edge.get("source"), edge.get("target")]
            if all(map(is_id, ends)) and self._by_id.keys() >= set(ends):
                source, target = ends
                branch = edge.get("condition")
                self._before.setdefault(target, []).append(source)
                self._after.setdefault(source, []).append((target, branch if is_id(branch) else None))

    def before(self, node_id: str) -> Iterator[dict[str, Any]]:
        """The nodes before one, the nearest first; it ends where several lead to one."""
        seen = {node_id}
        while len(sources := self._before.get(node_id, [])) == 1 and sources[0] not in seen:
            node_id = sources[0]
            seen.add(node_id)
            yield self._by_id[node_id]

    def after(self, node_id: str) -> Sequence[tuple[str, str | None]]:
        """(target, branch) of each way on."""
        return self._after.get(node_id, [])


def is_node(value: Any) -> bool:
    """Whether a value has an id and a type, as nodes do."""
    return isinstance(value, dict) and is_id(value.get("id")) and isinstance(value.get("type"), str)
