"""Values gathered over the rounds of a loop."""

from __future__ import annotations

from typing import Any

from tests.control_flow.writing import Case, each, show

EACH = "start > each; each > work loop; work > each back; each > end done"


def gathered(name: str, operation: str, expected: Any, value: Any = "{{ item }}", **accumulator: Any) -> Case:
    """A loop over 3, 1, 2 that accumulates something of each round."""
    options = {"operation": operation, "path": "v", **accumulator}
    nodes = {
        "each": each([3, 1, 2], accumulator=options),
        "work": show(v=value),
        "end": show(a="{{ nodes.each.accumulated }}"),
    }
    return Case(name, nodes, EACH, {"each": 1, "work": 3, "end": 1}, outputs={"end": {"a": expected}})


CASES = [
    gathered("accumulated by append", "append", [3, 1, 2]),
    gathered("accumulated by append onto a list", "append", [0, 3, 1, 2], initial_value=[0]),
    gathered("accumulated by append as whole outputs", "append", [{"v": 3}, {"v": 1}, {"v": 2}], path=None),
    gathered("accumulated by extend", "extend", [3, 3, 1, 1, 2, 2], "{{ [item, item] }}"),
    gathered("accumulated by sum", "sum", 6),
    gathered("accumulated by sum onto a number", "sum", 106, initial_value=100),
    gathered("accumulated by count", "count", 3),
    gathered("accumulated by min", "min", 1),
    gathered("accumulated by max", "max", 3),
    gathered("accumulated by merge", "merge", {"last": 2, "k": 1}, {"last": "{{ item }}", "k": 1}),
    gathered("accumulated by concat", "concat", "312"),
    gathered("accumulated by first", "first", 3),
    gathered("accumulated by last", "last", 2),
    gathered("accumulated from inside an output", "sum", 6, {"deep": "{{ item }}"}, path="v.deep"),
    Case(
        "nothing is accumulated where that is switched off",
        {
            "each": each([1], accumulator={"enabled": False}),
            "work": show(v=1),
            "end": show(a="{{ nodes.each.accumulated | default('off') }}"),
        },
        EACH,
        {"each": 1, "work": 1, "end": 1},
        outputs={"end": {"a": "off"}},
    ),
    Case(
        "what cannot be accumulated fails the loop",
        {"each": each([1], accumulator={"operation": "sum"}), "work": show(v=1), "end": show(p=1)},
        EACH,
        {"work": 1},
        status="failed",
        error="cannot be added",
    ),
]
