"""Stand-ins of patterns, such as `path_a`: read as nodes that do nothing, or as what the drawing around determines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dag_factory.dialects.converted import Converted, Place
from dag_factory.dialects.failures import handlers_of_failures, read_failures
from dag_factory.dialects.neighbours import Neighbours, is_node
from dag_factory.dialects.type_names import STAND_INS

_TOLD: Final = "{{ default(record.owner, 'admin') }}"
_ITEM: Final = "item"


def read_stand_ins(result: Converted) -> None:
    """Put nodes of real types in the place of stand-ins, each reported with what its author may put there.

    Args:
        result: A document in canonical form up to its stand-ins; nobody has checked that form yet.
    """
    nodes = result.document.get("nodes")
    if not isinstance(nodes, list):
        return
    read_failures(result, nodes)
    if any(is_node(node) and node["type"] in STAND_INS for node in nodes):
        reader = _Reader(result, nodes)
        read = [reader.read(node, index) for index, node in enumerate(nodes)]
        result.paths += reader.places
        result.document = {**result.document, "nodes": read}


class _Reader:
    def __init__(self, result: Converted, nodes: Sequence[Any]) -> None:
        self.places: list[Place] = []
        self._result = result
        edges = result.document.get("edges")
        # What leads into a loop's body, by its ends; whatever they are, only texts are looked up.
        self._rounds = {
            (str(edge.get("source")), str(edge.get("target")))
            for edge in (edges if isinstance(edges, list) else [])
            if isinstance(edge, dict) and edge.get("loop")
        }
        self._neighbours = Neighbours(nodes, edges)
        self._handlers = handlers_of_failures(nodes, edges)

    def read(self, node: Any, index: int) -> Any:
        """The node in a stand-in's place, named after it; all others as they are."""
        if not is_node(node) or node["type"] not in STAND_INS:
            return node
        written, node_id = node["type"], node["id"]
        kind, config, does = self._meant(written, node_id)
        said = f"{written!r} stands for nodes of your own and is read as {kind!r}: {does}"
        if node.get("config"):
            said += ", and its options are left out"
        self._result.note(f"node {node_id!r}: {said}; {STAND_INS[written]}")
        # Nobody wrote these options.
        at = f"$.nodes[{index}]"
        self.places.append(Place(f"{at}.config", self._result.original_path(f"{at}.type"), alike=False))
        return {"name": written, **node, "type": kind, "config": config}

    def _meant(self, written: str, node_id: str) -> tuple[str, dict[str, Any], str]:
        """(node type, config, what it does) of what a stand-in is read as."""
        before = next(self._neighbours.before(node_id), None)
        loop = before if before is not None and before["type"] == "for_each" else None
        inside = loop is not None and (loop["id"], node_id) in self._rounds
        if node_id in self._handlers:
            title, message = f"{written}: {{{{ error.node }}}} failed", "{{ error.message }}"
            config = {"recipients": [_TOLD], "title": title, "message": message}
            return "task_notify", config, "it tells the record's owner, else admin, what failed"
        if written == "process_record" and loop is not None and inside:
            return "merge_data", _static("record", _item(loop)), "it passes the record on as it is"
        if written == "aggregate_results" and loop is not None and not inside:
            results = f"nodes[{loop['id']!r}].results"
            return "merge_data", _static("results", results), f"it passes on what loop {loop['id']!r} gave"
        return "parallel", {}, "nothing happens here"


def _item(loop: dict[str, Any]) -> str:
    """What the body of a loop calls its item."""
    config = loop.get("config")
    name = config.get("item_variable", _ITEM) if isinstance(config, dict) else _ITEM
    return name if isinstance(name, str) and name.isidentifier() else _ITEM


def _static(name: str, expression: str) -> dict[str, Any]:
    return {"merge_sources": [{"source": "static", "data": {name: f"{{{{ {expression} }}}}"}}]}
