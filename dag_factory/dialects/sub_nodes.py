"""Bodies of loops written as a list in the loop's config: read into nodes and the edges between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dag_factory.dialects.converted import Converted, Place, free_name, is_id
from dag_factory.dialects.listed_order import explain_edge, listed_order
from dag_factory.json_path import is_inside
from oneo.problems import Problem

_KEY = "sub_nodes"


def expand(result: Converted) -> None:
    """Put the nodes of such lists among the others; the result then has edges, whether its author wrote some or not."""
    nodes, edges = result.document.get("nodes"), result.document.get("edges")
    if isinstance(nodes, list) and isinstance(edges, list | None) and any(map(_has_list, nodes)):
        _Expansion(result, nodes, edges).expand()


def _has_list(node: Any) -> bool:
    config = node.get("config") if isinstance(node, dict) and node.get("type") == "for_each" else None
    return isinstance(config, dict) and _KEY in config


class _Expansion:
    def __init__(self, result: Converted, nodes: list[Any], edges: list[Any] | None) -> None:
        self._result = result
        self._nodes = list(nodes)
        self._edges = listed_order(result, nodes) if edges is None else list(edges)
        self._taken = {node["id"] for node in nodes if isinstance(node, dict) and is_id(node.get("id"))}

    def expand(self) -> None:
        # Bodies are appended, so that loops inside loops come up later on.
        for index, node in enumerate(self._nodes):
            if _has_list(node):
                self._nodes[index] = self._loop(node, f"$.nodes[{index}].config.{_KEY}")
        self._result.document = {**self._result.document, "nodes": self._nodes, "edges": self._edges}

    def _loop(self, node: dict[str, Any], at: str) -> dict[str, Any]:
        config = dict(node["config"])
        written, owner = config.pop(_KEY), node.get("id")
        drawn = any(
            isinstance(edge, dict) and edge.get("source") == owner and edge.get("loop")
            for edge in self._edges
        )
        if not isinstance(written, list):
            self._refuse(at, owner, f"`{_KEY}` is a list of nodes", 'write [{"id": …, "type": …}]')
            self._result.meant.append(at.removesuffix(f".config.{_KEY}"))
        elif drawn:
            message = f"the body of loop {owner!r} is given twice: here, and by an edge with `loop`"
            self._refuse(at, owner, message, "keep one of them")
        elif is_id(owner):
            self._body(str(owner), written, at)
        return {**node, "config": config}

    def _body(self, owner: str, written: list[Any], at: str) -> None:
        inside = [place for place in self._result.paths if is_inside(place.canonical, at)]
        listed = {node["id"] for node in written if isinstance(node, dict) and is_id(node.get("id"))}
        own: set[str] = set()
        previous = owner
        for index, node in enumerate(written):
            here = f"{at}[{index}]"
            if not isinstance(node, dict):
                self._refuse(here, owner, "a node of a loop is an object", 'write {"id": …, "type": …}')
                continue
            name = self._name(node, owner, index, self._taken | own | listed)
            self._move(here, f"$.nodes[{len(self._nodes)}]", inside)
            self._nodes.append({**node, "id": name})
            # An id that is none, or stands twice, is reported where it stands.
            if is_id(name) and name not in own:
                self._edge(previous, name, here, "loop" if previous == owner else None)
                previous = name
                own.add(name)
        if previous == owner and written:
            # What is wrong with its nodes is reported, not that there are none.
            self._result.meant.append(at.removesuffix(f".config.{_KEY}"))
        elif previous != owner:
            self._edge(previous, owner, f"{at}[{len(written) - 1}]", "loop_back")
        self._taken |= own

    def _name(self, node: dict[str, Any], owner: str, index: int, taken: set[str]) -> Any:
        """The node's id; another one where a node outside the list has it."""
        written = node.get("id")
        if written is not None and not is_id(written):
            return written
        if written is None:
            name = free_name(f"{owner}_{index + 1}", taken)
            self._result.note(
                f"loop {owner!r}: node {index + 1} of its {_KEY} has no id and is called {name!r}"
            )
        elif written in self._taken:
            name = free_name(f"{owner}_{written}", taken)
            self._result.note(
                f"loop {owner!r}: {written!r} of its {_KEY} is called {name!r}, since another node has that id"
            )
        else:
            name = written
        return name

    def _edge(self, source: str, target: str, at: str, kind: str | None) -> None:
        place = Place(f"$.edges[{len(self._edges)}]", self._result.original_path(at), alike=False)
        explain_edge(self._result, len(self._edges), source, target)
        self._edges.append({"source": source, "target": target, **({kind: True} if kind else {})})
        self._result.paths.append(place)

    def _move(self, old: str, new: str, inside: list[Place]) -> None:
        """What is found at the new place of a node belongs to where its author wrote it."""
        result = self._result
        moved = [
            replace(place, canonical=new + place.canonical[len(old) :])
            for place in inside
            if is_inside(place.canonical, old)
        ]
        result.paths += [Place(new, result.original_path(old)), *moved]
        result.explained += [new + path[len(old) :] for path in result.explained if is_inside(path, old)]

    def _refuse(self, at: str, node: Any, message: str, hint: str) -> None:
        owner = node if isinstance(node, str) else None
        path = self._result.original_path(at)
        self._result.problems.append(Problem("error", owner, path, message, hint))
