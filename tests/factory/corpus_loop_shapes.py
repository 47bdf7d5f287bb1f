"""Mistakes in what a loop repeats."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import edge, graph, node, notify
from tests.factory.mistake import Mistake

A, B, C = notify("a"), notify("b"), notify("c")
EACH = node("each", "for_each", items_source=[1, 2])
AGAIN = node("again", "workflow_loop_controller", loop_type="count", count=2)
BODY = [edge("start", "each"), edge("each", "a", loop=True), edge("a", "each", loop_back=True)]
LEAVE = node("leave", "workflow_loop_breaker")


def _again(**config: Any) -> dict[str, Any]:
    return node("again", "workflow_loop_controller", loop_type="count", count=2, **config)


def structure() -> list[Mistake]:
    """Edges that make no loop."""
    return [
        Mistake(
            "controller without a body",
            graph([AGAIN, A], [edge("start", "again"), edge("again", "a")]),
            "$.nodes[1]",
            "again",
            ("'again' repeats nothing", '"loop": true', "loop_back_to"),
        ),
        Mistake(
            "out of a body",
            graph([EACH, A, B], [*BODY, edge("each", "b", loop_complete=True), edge("a", "b")]),
            "$.edges[4]",
            "a",
            ("'a' → 'b' leads out of the body of loop 'each'", "loop_back", "workflow_loop_breaker"),
        ),
        Mistake(
            "into a body",
            graph(
                [EACH, A, B, C],
                [
                    *BODY[:2],
                    edge("a", "b"),
                    edge("b", "each", loop_back=True),
                    edge("start", "c"),
                    edge("c", "b"),
                ],
            ),
            "$.edges[5]",
            "b",
            ("'c' → 'b' leads into the body of loop 'each'", "lead it to 'each'"),
        ),
        Mistake(
            "two ways to a loop behind its body",
            graph(
                [A, B, _again(loop_back_to="a")],
                [edge("start", "a"), edge("a", "again"), edge("start", "b"), edge("b", "again")],
            ),
            "$.edges[0]",
            "a",
            ("'start' → 'a' leads into the body of loop 'again'", "lead it to 'again'"),
        ),
        Mistake(
            "on from a loop to where its body begins",
            graph([EACH, A], [*BODY, edge("each", "a")]),
            "$.edges[3]",
            "each",
            ("'each' → 'a' leads on from loop 'each' into its own body", '"loop": true', "behind the loop"),
        ),
        Mistake(
            "a loop's error into its body",
            graph([EACH, A], [*BODY, edge("each", "a", "error")]),
            "$.edges[3]",
            "each",
            ("into its own body",),
        ),
        Mistake(
            "exit_to names where the body begins",
            graph([_again(loop_back_to="a", exit_to="a"), A], [edge("start", "again"), edge("a", "again")]),
            "$.nodes[1]",
            "again",
            ("leads on to 'a', which is in its own body", "behind the loop"),
        ),
        Mistake(
            "a loop that repeats itself",
            graph([EACH, A], [edge("start", "each"), edge("each", "each", loop=True), edge("each", "a")]),
            "$.edges[1]",
            "each",
            ("loop 'each' cannot repeat itself", "first node to repeat"),
        ),
        Mistake(
            "back from outside",
            graph([EACH, A, B], [*BODY, edge("start", "b"), edge("b", "each", loop_back=True)]),
            "$.edges[4].loop_back",
            "b",
            ("'b' → 'each' leads back to a loop, but 'b' is not in its body", "remove loop_back"),
        ),
        Mistake(
            "a cycle in a body",
            graph([EACH, A, B], [*BODY, edge("a", "b"), edge("b", "a")]),
            "$.edges[4]",
            "a",
            ("form a cycle", "a → b → a"),
        ),
        Mistake(
            "a way out that a loop has not",
            graph([EACH, A, B], [*BODY, edge("each", "b", "done")]),
            "$.edges[3].condition",
            "each",
            ("loop 'each' has no way out called 'done'", "loop_complete"),
        ),
        Mistake(
            "a breaker outside loops",
            graph([LEAVE], [edge("start", "leave")]),
            "$.nodes[1]",
            "leave",
            ("stands in none", "into a loop's body"),
        ),
        Mistake(
            "a breaker of a loop elsewhere",
            graph(
                [EACH, A, node("leave", "workflow_loop_breaker", loop_key="each")],
                [*BODY, edge("start", "leave")],
            ),
            "$.nodes[3]",
            "leave",
            ("stands in none",),
        ),
    ]


def reads() -> list[Mistake]:
    """What is read out of a loop, and in it."""
    late = notify("b", message="{{ nodes.a.title }}")
    early = notify("a", message="{{ nodes.b.title }}")
    until = node(
        "again",
        "workflow_loop_controller",
        exit_conditions=[{"type": "node_output", "path": "b.x"}],
    )
    circle = [edge("start", "again"), edge("again", "a", loop=True), edge("a", "again", loop_back=True)]
    return [
        Mistake(
            "an output of a body read behind it",
            graph([EACH, A, late], [*BODY, edge("each", "b", loop_complete=True)]),
            "$.nodes[3].config.message",
            "b",
            ("reads node 'a', which runs once in each round of loop 'each'", "read nodes.each.results"),
        ),
        Mistake(
            "an output of an earlier round of a loop over items",
            graph([EACH, early, B], [*BODY[:2], edge("a", "b"), edge("b", "each", loop_back=True)]),
            "$.nodes[2].config.message",
            "a",
            ("reads node 'b', which does not run before this one", "it runs after this one"),
        ),
        Mistake(
            "an exit condition on what follows the loop",
            graph([until, A, B], [*circle, edge("again", "b", loop_complete=True)]),
            "$.nodes[1].config.exit_conditions[0].path",
            "again",
            ("reads node 'b', which does not run before this one",),
        ),
    ]


MISTAKES = [*structure(), *reads()]
