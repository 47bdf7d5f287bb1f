"""Mistakes in what is to follow failures."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import chain, edge, graph, node, notify
from tests.factory.mistake import Mistake

A, B = notify("a"), notify("b")
EACH = node("each", "for_each", items_source=[1])


def _on(handling: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Node `a` with this error handling, and other nodes."""
    return chain({**A, "error_handling": handling}, *others)


def _in_loop(fallback: str) -> dict[str, Any]:
    """Node `a` inside a loop, with a fallback; `b` stands behind the loop."""
    return graph(
        [EACH, {**A, "error_handling": {"fallback_node": fallback}}, B],
        [
            edge("start", "each"),
            edge("each", "a", loop=True),
            edge("a", "each", loop_back=True),
            edge("each", "b"),
        ],
    )


FALLBACK = "$.nodes[1].error_handling.fallback_node"
MISTAKES = [
    Mistake(
        "route without a way",
        _on({"on_error": "route"}, B),
        "$.nodes[1].error_handling.on_error",
        "a",
        ("no way leads on", "fallback_node", "condition `error`"),
    ),
    Mistake(
        "route for the whole workflow",
        chain(A, error_handling={"on_error": "route"}),
        "$.error_handling.on_error",
        None,
        ("each node's own", "settings.error_workflow"),
    ),
    Mistake(
        "fallback for the whole workflow",
        chain(A, B, error_handling={"fallback_node": "b"}),
        "$.error_handling.fallback_node",
        None,
        ("each node's own", "settings.error_workflow"),
    ),
    Mistake(
        "fallback to nowhere",
        _on({"fallback_node": "bb"}, B),
        FALLBACK,
        "a",
        ("'bb' is no node", "known: b"),
    ),
    Mistake(
        "fallback to itself", _on({"fallback_node": "a"}, B), FALLBACK, "a", ("its own failure", "another")
    ),
    Mistake(
        "fallback to a trigger",
        _on({"fallback_node": "start"}, B),
        FALLBACK,
        "a",
        ("trigger 'start'", "no failure can lead to it"),
    ),
    Mistake(
        "fallback to a node before",
        graph(
            [A, {**B, "error_handling": {"fallback_node": "a"}}],
            [edge("start", "a"), edge("a", "b")],
        ),
        "$.nodes[2].error_handling.fallback_node",
        "a",
        ("form a cycle", "a → b → a"),
    ),
    Mistake(
        "fallback out of a loop",
        _in_loop("b"),
        "$.nodes[2].error_handling.fallback_node",
        "a",
        ("leads out of the body of loop 'each'", "loop_back"),
    ),
    Mistake(
        "fallback into a loop",
        graph(
            [{**A, "error_handling": {"fallback_node": "b"}}, EACH, B],
            [
                edge("start", "a"),
                edge("a", "each"),
                edge("each", "b", loop=True),
                edge("b", "each", loop_back=True),
            ],
        ),
        "$.nodes[1].error_handling.fallback_node",
        "b",
        ("leads into the body of loop 'each'", "lead it to 'each'"),
    ),
    Mistake(
        "retry without retries in the options",
        chain(
            {
                **node("a", "http_request", url="https://example.com", retry_count=0),
                "error_handling": {"on_error": "retry"},
            }
        ),
        "$.nodes[1].error_handling.on_error",
        "a",
        ("retry_count 0 allows none", "raise retry_count"),
        "warning",
    ),
    Mistake(
        "retries that are no number",
        chain(node("a", "http_request", url="https://example.com", retry_count=[3]), notify("b")),
        "$.nodes[1].config.retry_count",
        "a",
        ("valid integer", "[3]"),
    ),
    Mistake(
        "retry without retries",
        _on({"on_error": "retry", "retry_count": 0}),
        "$.nodes[1].error_handling.on_error",
        "a",
        ("retry_count 0 allows none", "raise retry_count"),
        "warning",
    ),
    Mistake(
        "retry without retries in the whole workflow",
        chain(A, error_handling={"on_error": "retry", "retry_count": 0}),
        "$.error_handling.on_error",
        None,
        ("retry_count 0 allows none",),
        "warning",
    ),
    Mistake(
        "its own error workflow",
        chain(A, settings={"error_workflow": "w"}),
        "$.settings.error_workflow",
        None,
        ("its own error workflow", "`none`"),
    ),
    Mistake(
        "error workflow that cannot be an id",
        chain(A, settings={"error_workflow": "no id"}),
        "$.settings.error_workflow",
        None,
        ("cannot be an id",),
    ),
    Mistake(
        "reads a failure where none leads",
        chain(notify("a", message="{{ error.message }}")),
        "$.nodes[1].config.message",
        "a",
        ("reads error.message", "no failure leads here", "default(…)", "trigger.error.message"),
    ),
    Mistake(
        "reads a failure on the usual way",
        graph(
            [A, notify("b", message="{{ error.hint }}"), notify("c")],
            [edge("start", "a"), edge("a", "b"), edge("a", "c", "error")],
        ),
        "$.nodes[2].config.message",
        "b",
        ("reads error.hint", "no failure leads here"),
    ),
]
