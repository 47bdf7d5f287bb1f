"""Ways of failures that patterns only hint at: what handles them stands last, or the workflow says it falls back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from dag_factory.dialects.converted import Converted, Place
from dag_factory.dialects.neighbours import Neighbours, is_node
from dag_factory.dialects.type_names import STAND_INS
from dag_factory.plan import ERROR

_FALLBACK: Final = "fallback_on_failure"
_RECOVERY: Final = frozenset({"error_handler", "retry_logic", "fallback_action"})
_LOOPS: Final = frozenset({"for_each", "workflow_loop_controller"})
_NEVER_FAIL: Final = frozenset({"condition", "parallel", *STAND_INS})
_KINDS: Final = ("condition", "loop", "loop_back", "loop_complete")

Edge = Mapping[str, Any]
# From a node to another one.
Way = tuple[str, str]


def read_failures(result: Converted, nodes: Sequence[Any]) -> None:
    """Lead failures to the stand-ins that handle them, each way reported.

    Args:
        result: A canonical document, but for its stand-ins; nobody has checked its form yet.
        nodes: Its nodes.
    """
    handling = result.document.get("error_handling")
    wanted = handling.get(_FALLBACK) if isinstance(handling, dict) else None
    if wanted is not False:
        _lead(result, nodes, from_all=wanted is True)
    if isinstance(handling, dict) and _FALLBACK in handling:
        kept = {key: value for key, value in handling.items() if key != _FALLBACK}
        result.document = {**result.document, "error_handling": kept}
        handlers = sorted(handlers_of_failures(nodes, result.document.get("edges")))
        if handlers:
            said = "the ways of failures there are, to " + ", ".join(map(repr, handlers))
        else:
            said = f'nothing; lead an edge with "condition": "{ERROR}" from the node that may fail to its fallback'
        result.note(f"error_handling: {_FALLBACK} is read as {said}")


def handlers_of_failures(nodes: Sequence[Any], edges: Any) -> set[str]:
    """The nodes that failures lead to, by an edge or as somebody's fallback node."""
    by_id = {node["id"]: node for node in nodes if is_node(node)}
    return {target for _, target in _ways_of_failures(by_id, _between(by_id, edges))}


def _lead(result: Converted, nodes: Sequence[Any], *, from_all: bool) -> None:
    """Read the plain ways into what handles failures, and leads to nothing else, as the ways of failures.

    Args:
        result: The document.
        nodes: Its nodes.
        from_all: Whether failures of the nodes further before lead there, too.
    """
    by_id = {node["id"]: node for node in nodes if is_node(node)}
    if not any(node["type"] in _RECOVERY for node in by_id.values()):
        return
    written = result.document.get("edges")
    edges = _listed(by_id) if written is None else written
    between = _between(by_id, edges)
    routed = {source for source, _ in _ways_of_failures(by_id, between)}
    ways = _ways_into(_last(by_id, between), by_id, between)
    ways = {way for way in ways if way[0] not in routed}
    # With fallback nodes of its author's, the listed order is not what it looks like.
    if not ways or (written is None and routed):
        return
    read = [
        {**edge, "condition": ERROR} if _is_plain(edge) and _ends(edge) in ways else edge for edge in edges
    ]
    heads = {head for _, head in ways}
    if from_all and len(heads) == 1:
        head = heads.pop()
        more = [one for one in _further(Neighbours(nodes, edges).before(head)) if one not in routed]
        more = [one for one in more if (one, head) not in ways]
        read += [{"source": one, "target": head, "condition": ERROR} for one in more]
        ways |= {(one, head) for one in more}
    places = {node["id"]: index for index, node in enumerate(nodes) if is_node(node)}
    made = range(0 if written is None else len(edges), len(read))
    stands = {index: f"$.nodes[{places[read[index]['target']]}]" for index in made}
    result.paths += [
        Place(f"$.edges[{index}]", result.original_path(at), alike=False) for index, at in stands.items()
    ]
    result.document = {**result.document, "edges": read}
    for source, target in sorted(ways):
        result.note(
            f"node {target!r}: what handles failures is all that follows here, so it runs where node {source!r} has "
            "failed, and only then"
        )


def _ways_into(last: Container[str], by_id: Mapping[str, Any], between: Sequence[Edge]) -> set[Way]:
    """The plain ways from nodes that may fail to what handles failures."""
    return {
        (edge["source"], edge["target"])
        for edge in between
        if _is_plain(edge)
        and edge["target"] in last
        and edge["source"] not in last
        and _may_fail(by_id[edge["source"]])
    }


def _listed(by_id: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The listed order as edges."""
    return [{"source": source, "target": target} for source, target in pairwise(by_id)]


def _between(by_id: Mapping[str, Any], edges: Any) -> list[Edge]:
    """The edges between nodes that exist."""
    listed = [edge for edge in edges if isinstance(edge, dict)] if isinstance(edges, list) else []
    return [edge for edge in listed if all(isinstance(end, str) and end in by_id for end in _ends(edge))]


def _is_plain(edge: Any) -> bool:
    named = isinstance(edge, dict) and all(isinstance(end, str) for end in _ends(edge))
    return named and not any(edge.get(kind) for kind in _KINDS)


def _ends(edge: Edge) -> tuple[Any, Any]:
    return edge.get("source"), edge.get("target")


def _ways_of_failures(by_id: Mapping[str, Any], between: Sequence[Edge]) -> Iterator[Way]:
    yield from (_ends(edge) for edge in between if edge.get("condition") == ERROR)
    for node_id, node in by_id.items():
        handling = node.get("error_handling")
        fallback = handling.get("fallback_node") if isinstance(handling, dict) else None
        if isinstance(fallback, str):
            yield node_id, fallback


def _last(by_id: Mapping[str, Any], between: Sequence[Edge]) -> set[str]:
    """What handles failures, and leads to nothing that does not."""
    after: dict[str, set[str]] = defaultdict(set)
    for edge in between:
        after[edge["source"]].add(edge["target"])
    last = {node_id for node_id, node in by_id.items() if node["type"] in _RECOVERY}
    while others := {node_id for node_id in last if after[node_id] - last}:
        last -= others
    return last


def _may_fail(node: Mapping[str, Any]) -> bool:
    return node["type"] not in _NEVER_FAIL and not node["type"].startswith("trigger_")


def _further(before: Iterator[dict[str, Any]]) -> Iterator[str]:
    """The nodes before, up to a loop: no way leads out of one."""
    for node in before:
        if node["type"] in _LOOPS:
            return
        if _may_fail(node):
            yield node["id"]
