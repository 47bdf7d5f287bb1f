"""The listed order as edges, for dialects that add nodes to a document without any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from dag_factory.dialects.converted import Converted, Place, is_id
from dag_factory.json_path import json_path

_GOOD: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def listed_order(result: Converted, nodes: Sequence[Any]) -> list[dict[str, Any]]:
    """Edges from each node to the next.

    Args:
        result: Learns that their places are those of the nodes they lead to.
        nodes: As written; what has no id is passed over.
    """
    places: dict[str, int] = {}
    for index, node in enumerate(nodes):
        if isinstance(node, dict) and is_id(node.get("id")):
            places.setdefault(node["id"], index)
    pairs = list(pairwise(places))
    for index, (source, target) in enumerate(pairs):
        place = result.original_path(json_path(["nodes", places[target]]))
        result.paths.append(Place(json_path(["edges", index]), place, alike=False))
        explain_edge(result, index, source, target)
    return [{"source": source, "target": target} for source, target in pairs]


def explain_edge(result: Converted, index: int, *ends: str) -> None:
    """An id of the wrong form is reported where it stands, not once more for each edge made from it."""
    if not all(map(_GOOD.fullmatch, ends)):
        result.explained.append(json_path(["edges", index]))
