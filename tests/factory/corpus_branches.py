# ruff: noqa: E501 - tables
"""Branches that lead nowhere, that share names, or that exclude each other."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import edge, graph, node, notify, route
from tests.factory.mistake import Mistake

A, B, C = notify("a"), notify("b"), notify("c")
TO = edge("start", "route")


def loose_ends() -> list[Mistake]:
    """Branches that nothing follows."""
    nowhere = ("leads nowhere", '"then"')

    def loose(name: str, index: int, key: str, *conditions: dict[str, Any], edges: list[Any]) -> Mistake:
        document = graph([route(*conditions), A, B], [TO, *edges])
        path = f"$.nodes[1].config.conditions[{index}]"
        return Mistake(f"loose: {name}", document, path, "route", (*nowhere, f"{key!r}"), "warning")

    some, other, last = (
        {"if": "true", "label": "high"},
        {"elif": "false", "label": "middle"},
        {"else": "b", "label": "low"},
    )
    plain = [edge("route", "a"), edge("route", "b")]
    return [
        loose(
            "only a label",
            0,
            "high",
            some,
            last,
            edges=[edge("route", "a", "low"), edge("route", "b", "low")],
        ),
        loose("the second", 1, "middle", {**some, "then": "a"}, other, last, edges=[]),
        loose("no label either", 0, "branch_1", {"if": "true"}, last, edges=plain),
        loose("plain edges alone", 0, "high", some, {"elif": "true", "then": "b"}, edges=plain),
        loose(
            "in every-match mode",
            1,
            "middle",
            {**some, "then": "a"},
            other,
            last,
            edges=[edge("route", "b", "low")],
        ),
    ]


def shared_names() -> list[Mistake]:
    """Names that mean two branches."""
    says = ("names more than one branch", "conditions[0] and conditions[1]", "label of its own")
    twice = route(
        {"if": "trigger.x", "then": "a", "label": "hot"}, {"elif": "trigger.y", "then": "b", "label": "hot"}
    )
    crossed = route({"if": "trigger.x", "then": "a", "label": "b"}, {"elif": "trigger.y", "then": "b"})
    both = {"if": "trigger.x", "label": "hot"}, {"elif": "trigger.y", "label": "hot"}
    return [
        Mistake(
            "shared: two labels",
            graph([twice, A, B, C], [TO, edge("route", "c", "hot")]),
            "$.edges[1].condition",
            "route",
            says,
            "warning",
        ),
        Mistake(
            "shared: a label is a target",
            graph([crossed, A, B, C], [TO, edge("route", "c", "b")]),
            "$.edges[1].condition",
            "route",
            says,
            "warning",
        ),
        Mistake(
            "shared: labels without targets",
            graph([route(*both), A], [TO, edge("route", "a", "hot")]),
            "$.edges[1].condition",
            "route",
            says,
            "warning",
        ),
    ]


def siblings() -> list[Mistake]:
    """Reading a node of the other branch, which never ran."""
    fork = route({"if": "trigger.x", "then": "a", "label": "yes"}, {"else": "b", "label": "no"})
    message = "$.nodes[3].config.message"

    def reads(name: str, source: str, edges: list[Any]) -> Mistake:
        document = graph([fork, A, notify("b", message=source)], edges)
        return Mistake(
            f"sibling: {name}", document, message, "b", ("'a'", "does not run before", "lead an edge")
        )

    ways = [TO, edge("route", "a", "yes"), edge("route", "b", "no")]
    deep = graph(
        [fork, A, B, C, notify("d", message="{{ nodes.c.x }}")],
        [*ways, edge("a", "c"), edge("b", "d")],
    )
    condition = graph(
        [fork, A, B, node("second", "condition", conditions=[{"if": "nodes.a.x > 1", "then": "c"}]), C],
        [*ways, edge("b", "second")],
    )
    return [
        reads("by label", "{{ nodes.a.x }}", ways),
        reads("by target", "{{ outputs.a.x }}", [TO, edge("route", "a", "a"), edge("route", "b", "b")]),
        reads("by then alone", "{{ node_a.x }}", [TO]),
        Mistake("sibling: further on", deep, "$.nodes[5].config.message", "d", ("'c'", "does not run before")),
        Mistake("sibling: in a condition", condition, "$.nodes[4].config.conditions[0].if", "second", ("'a'", "does not run before")),
        Mistake(
            "sibling: of an error edge", graph([A, B, notify("c", message="{{ nodes.b.x }}")], [edge("start", "a"), edge("a", "b"), edge("a", "c", "error")]),
            "$.nodes[3].config.message", "c", ("'b'", "does not run before"),
        ),
    ]  # fmt: skip


CLASSES = {
    "branches that lead nowhere": loose_ends(),
    "names that two branches share": shared_names(),
    "reading the other branch": siblings(),
}
