"""What leads where as a definition says it: in its edges, by the listed order, or by naming a fallback node."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from dag_factory.definition import Workflow
from dag_factory.plan import ERROR


@dataclass(frozen=True)
class Written:
    """An edge as a definition has it, or as the listed order stands in for it.

    Attributes:
        path: JSON path of where it stands.
        loop: Whether it leads into the body of its source.
        back: Whether it leads back to its target, whose body it ends.
    """

    source: str
    target: str
    condition: str | None
    path: str
    loop: bool = False
    back: bool = False


def written_edges(workflow: Workflow) -> list[Written]:
    """The definition's edges, and those to fallback nodes; where it has no edges, the listed order."""
    fallbacks = _fallbacks(workflow)
    if workflow.edges is None:
        # Two nodes of one id are a problem of their own, and not a cycle.
        places = {node.id: index for index, node in reversed(list(enumerate(workflow.nodes)))}
        # Who handles a failure is not wanted where there is none.
        handlers = {edge.target for edge in fallbacks}
        listed = [node for node in sorted(places, key=places.__getitem__) if node not in handlers]
        return [
            *(Written(one, other, None, f"$.nodes[{places[other]}]") for one, other in pairwise(listed)),
            *fallbacks,
        ]
    return [
        *(
            Written(edge.source, edge.target, edge.condition, f"$.edges[{index}]", edge.loop, edge.loop_back)
            for index, edge in enumerate(workflow.edges)
        ),
        *fallbacks,
    ]


def _fallbacks(workflow: Workflow) -> list[Written]:
    """The way from each node to its fallback node: an error edge like any other."""
    named = [
        (index, node.id, node.error_handling.fallback_node)
        for index, node in enumerate(workflow.nodes)
        if node.error_handling is not None
    ]
    return [
        Written(node, fallback, ERROR, f"$.nodes[{index}].error_handling.fallback_node")
        for index, node, fallback in named
        if fallback is not None and fallback != node
    ]
