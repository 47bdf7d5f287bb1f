# ruff: noqa: E501 - tables
"""Mistakes in loops: their edges, their bodies, what ends them."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import START, clock, edge, graph, node, notify, route
from tests.factory.mistake import Mistake

EACH = node("each", "for_each", items_source=[1, 2])
A, B, C, END = notify("a"), notify("b"), notify("c"), notify("end")
COUNT = node("count", "set_variable", increment={"n": 1})
UNTIL = {"exit_conditions": [{"type": "variable", "path": "n", "expected_value": 3}]}


def again(**options: Any) -> dict[str, Any]:
    """A loop controller that ends once variable n is 3."""
    return node("again", "workflow_loop_controller", **{**UNTIL, **options})


def stop(name: str = "stop", /, **options: Any) -> dict[str, Any]:
    """A loop breaker that always breaks."""
    return node(name, "workflow_loop_breaker", **options)


def into(source: str, target: str) -> dict[str, Any]:
    """An edge into a body."""
    return edge(source, target, loop=True)


def back(source: str, target: str) -> dict[str, Any]:
    """An edge back to a loop node."""
    return edge(source, target, loop_back=True)


def done(source: str, target: str) -> dict[str, Any]:
    """An edge on from a loop."""
    return edge(source, target, loop_complete=True)


def looped(
    *body: dict[str, Any],
    more: list[Any] | None = None,
    nodes: list[Any] | None = None,
    loop: Any = None,
    **rest: Any,
) -> dict[str, Any]:
    """A loop around a chain of nodes, then `end`; further edges and nodes behind those."""
    owner = loop or EACH
    ids = [one["id"] for one in body]
    edges = [
        edge("start", owner["id"]),
        into(owner["id"], ids[0]),
        *map(edge, ids, ids[1:]),
        back(ids[-1], owner["id"]),
    ]
    edges += [done(owner["id"], "end"), *(more or [])]
    return graph([owner, *body, END, *(nodes or [])], edges, **rest)


def counted(*body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A controller around a chain of nodes."""
    return looped(*body, loop=again(**options), variables={"n": 0})


def borders() -> list[Mistake]:
    """Edges that cross the border of a body."""
    out, way_in = (
        ("leads out of the body of loop 'each'", "workflow_loop_breaker"),
        ("leads into the body of loop 'each'", "starts every round"),
    )
    # Nodes: start, each, a, b, end, c.
    branching = route({"if": "true", "then": "end"}, {"else": "b"})
    return [
        Mistake("out of the first node", looped(A, B, more=[edge("a", "end")]), "$.edges[5]", "a", out),
        Mistake("out of the last node", looped(A, B, more=[edge("b", "end")]), "$.edges[5]", "b", out),
        Mistake("out on an error", looped(A, B, more=[edge("a", "end", "error")]), "$.edges[5]", "a", out),
        Mistake("into the last node", looped(A, B, nodes=[C], more=[edge("start", "c"), edge("c", "b")]), "$.edges[6]", "b", way_in),
        Mistake("into the first node", looped(A, B, more=[edge("start", "a")]), "$.edges[5]", "a", way_in),
        Mistake("into a body from behind it", looped(A, B, nodes=[C], more=[edge("start", "c"), edge("c", "a", "error")]), "$.edges[6]", "a", way_in),
        Mistake(
            "a controller's body left by an edge",
            {**counted(COUNT), "edges": [*counted(COUNT)["edges"], edge("count", "end")]},
            "$.edges[4]", "count", ("leads out of the body of loop 'again'", "loop_back"),
        ),
        Mistake(
            "out by a branch", looped(A, branching, B), "$.nodes[3].config.conditions[0].then", "route",
            ("leads out of the body of loop 'each'", "workflow_loop_breaker"),
        ),
        Mistake(
            "out by an edge of a branch",
            looped(A, route({"if": "true", "label": "far"}, {"else": "b"}), B, more=[edge("route", "end", "far")]),
            "$.edges[6]", "route", out,
        ),
        Mistake(
            "a controller leads to its body's node from elsewhere", counted(COUNT) | {"edges": [*counted(COUNT)["edges"], edge("start", "count")]},
            "$.edges[4]", "count", ("leads into the body of loop 'again'",),
        ),
    ]  # fmt: skip


def flags() -> list[Mistake]:
    """Words of loops on edges between nodes that make none."""
    stray = ("no node there makes loops", "for_each or workflow_loop_controller")
    ab = [edge("start", "a"), edge("a", "b")]
    found = []
    for kind, words in (
        ("loop", stray),
        ("loop_back", stray),
        ("loop_complete", ("makes none", "remove loop_complete")),
    ):
        for name, edges, index, owner in (
            ("between plain nodes", [ab[0], edge("a", "b", **{kind: True})], 1, "a"),
            ("from the trigger", [edge("start", "a", **{kind: True}), ab[1]], 0, "start"),
            ("on an error", [*ab, edge("a", "b", "error", **{kind: True})], 2, "a"),
        ):
            found.append(
                Mistake(f"{kind} {name}", graph([A, B], edges), f"$.edges[{index}].{kind}", owner, words)
            )
    found.append(Mistake(
        "loop from a condition", graph([route({"if": "true", "then": "a"}, {"else": "b"}), A, B], [edge("start", "route"), into("route", "a")]),
        "$.edges[1].loop", "route", stray,
    ))  # fmt: skip
    found.append(Mistake(
        "loop_complete inside a body", looped(A, B, nodes=[C], more=[done("a", "c"), back("c", "each")]), "$.edges[5].loop_complete", "a",
        ("'a' makes none", "remove loop_complete"),
    ))  # fmt: skip
    return found


def bodies() -> list[Mistake]:
    """Loops around nothing."""
    nothing = ("repeats nothing", '"loop": true')
    plain = [edge("start", "each"), edge("each", "end")]
    for_each = [
        ("no body", graph([EACH, END], plain), ("lead an edge", "to 'end'")),
        ("nothing behind it", graph([EACH], plain[:1]), ("the first node to repeat",)),
        ("listed order", {"name": "W", "nodes": [START, EACH, A]}, ("loop_back",)),
        ("two ways on", graph([EACH, A, END], [*plain, edge("each", "a")]), ("the first node to repeat",)),
        ("its edge says done", graph([EACH, END], [plain[0], done("each", "end")]), ("lead an edge",)),
    ]
    found = [
        Mistake(f"for_each: {name}", document, "$.nodes[1]", "each", (*nothing, *says), "warning")
        for name, document, says in for_each
    ]
    carries = ("repeats nothing", '"loop": true', "loop_back_to")
    controller = [
        (
            "no body",
            graph([again(), END], [edge("start", "again"), edge("again", "end")], variables={"n": 0}),
            (),
        ),
        ("no edges at all", graph([again()], [edge("start", "again")], variables={"n": 0}), ()),
        (
            "only an edge back",
            graph(
                [again(), A],
                [edge("start", "again"), edge("again", "a"), done("again", "a")],
                variables={"n": 0},
            ),
            (),
        ),
    ]
    found += [
        Mistake(f"controller: {name}", document, "$.nodes[1]", "again", (*carries, *says))
        for name, document, says in controller
    ]
    return found


def breakers() -> list[Mistake]:
    """Breakers that stand in no loop, or ask for one that is not around them."""
    alone, unknown = ("stands in none", "into a loop's body"), ("no loop around this node is called",)
    inner = node("inner", "for_each", items_source=[1], item_variable="x")
    nested = graph(
        [EACH, inner, stop(loop_key="outer"), A, END],
        [
            edge("start", "each"),
            into("each", "inner"),
            into("inner", "stop"),
            edge("stop", "a"),
            back("a", "inner"),
            back("inner", "each"),
            done("each", "end"),
        ],
    )
    apart = looped(A, stop(loop_key="second"), nodes=[node("second", "for_each", items_source=[1]), C],
                   more=[edge("end", "second"), into("second", "c"), back("c", "second")])  # fmt: skip
    return [
        Mistake(
            "no loop anywhere",
            graph([stop(), A], [edge("start", "stop"), edge("stop", "a")]),
            "$.nodes[1]",
            "stop",
            alone,
        ),
        Mistake(
            "in the listed order", {"name": "W", "nodes": [START, A, stop()]}, "$.nodes[2]", "stop", alone
        ),
        Mistake(
            "behind the loop",
            looped(A, nodes=[stop()], more=[edge("end", "stop")]),
            "$.nodes[4]",
            "stop",
            alone,
        ),
        Mistake(
            "before the loop",
            looped(A, nodes=[stop(), C], more=[edge("start", "stop"), edge("stop", "c")]),
            "$.nodes[4]",
            "stop",
            alone,
        ),
        Mistake(
            "behind the loop, with its name",
            looped(A, nodes=[stop(loop_key="each")], more=[edge("end", "stop")]),
            "$.nodes[4]",
            "stop",
            alone,
        ),
        Mistake(
            "misspelt node id",
            looped(A, stop(loop_key="eahc")),
            "$.nodes[3]",
            "stop",
            (*unknown, "'eahc'", "'each'"),
        ),
        Mistake(
            "misspelt loop_key",
            counted(COUNT, stop(loop_key="man"), loop_key="main"),
            "$.nodes[3]",
            "stop",
            (*unknown, "'man'", "'main'"),
        ),
        Mistake(
            "name of a plain node", looped(A, stop(loop_key="end")), "$.nodes[3]", "stop", (*unknown, "'end'")
        ),
        Mistake("name of another loop", apart, "$.nodes[3]", "stop", (*unknown, "'second'", "each")),
        Mistake("name of no loop around", nested, "$.nodes[3]", "stop", (*unknown, "'outer'", "each, inner")),
    ]


def cycles() -> list[Mistake]:
    """Cycles inside bodies, where only the loop may turn."""
    cycle = ("form a cycle", "for_each")
    return [
        Mistake("of two in a body", looped(A, B, more=[edge("b", "a")]), "$.edges[5]", "a", (*cycle, "a → b → a")),
        Mistake("of one in a body", looped(A, B, more=[edge("b", "b")]), "$.edges[5]", "b", (*cycle, "b → b")),
        Mistake("of three in a body", looped(A, B, C, more=[edge("c", "a")]), "$.edges[6]", "a", (*cycle, "a → b → c → a")),
        Mistake("in a controller's body", counted(A, COUNT) | {"edges": [*counted(A, COUNT)["edges"], edge("count", "a")]}, "$.edges[5]", "a", cycle),
        Mistake(
            "by a branch in a body", looped(A, route({"if": "true", "then": "a"}, {"else": "b"}), B),
            "$.nodes[3].config.conditions[0].then", "a", (*cycle, "a → route → a"),
        ),
        Mistake("back to the trigger's follower", looped(A, more=[edge("end", "c"), edge("c", "end")], nodes=[C]), "$.edges[4]", "c", cycle),
    ]  # fmt: skip


def triggers() -> list[Mistake]:
    """Triggers inside bodies."""
    says = ("starts the workflow", "no edge can lead to it")
    watch = node("new", "trigger_record_created", pipeline_ids=["leads"])
    return [
        Mistake("a clock", looped(A, clock()), "$.edges[2].target", "clock", says),
        Mistake("a record", looped(A, watch), "$.edges[2].target", "new", says),
        Mistake("by hand", looped(A, node("hand", "trigger_manual")), "$.edges[2].target", "hand", says),
        Mistake(
            "as the first node", looped(node("hand", "trigger_manual"), A), "$.edges[1].target", "hand", says
        ),
    ]


CLASSES = {
    "edges across the border of a loop": borders(),
    "words of loops on plain edges": flags(),
    "loops around nothing": bodies(),
    "breakers without their loop": breakers(),
    "cycles in loops": cycles(),
    "triggers in loops": triggers(),
}
