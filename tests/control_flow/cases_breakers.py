"""Loops that are left early."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, append, each, leave, show, split, when

EACH = "start > each; each > check loop; check > work; work > each back; each > end done"
WHY = show(why="{{ nodes.each.exit_reason }}", done="{{ nodes.each.processed_count }}")

CASES = [
    Case(
        "a breaker ends the loop around it",
        {
            "each": each([1, 2, 3, 4]),
            "check": leave("{{ item }} == 3", "three"),
            "work": show(i="{{ item }}"),
            "end": WHY,
        },
        EACH,
        {"each": 1, "check": 3, "work": 2, "end": 1},
        outputs={"check[0]": {"broke": False}, "end": {"why": "three", "done": 3}},
    ),
    Case(
        "a breaker in the first round",
        {"each": each([1, 2]), "check": leave("true"), "work": show(p=1), "end": WHY},
        EACH,
        {"each": 1, "check": 1, "end": 1},
        outputs={"end": {"why": "enough", "done": 1}},
    ),
    Case(
        "a breaker in the last round",
        {"each": each([1, 2]), "check": leave("loop.last", "last"), "work": show(p=1), "end": WHY},
        EACH,
        {"each": 1, "check": 2, "work": 1, "end": 1},
        outputs={"end": {"why": "last", "done": 2}},
    ),
    Case(
        "a breaker that never breaks",
        {"each": each([1, 2]), "check": leave("false"), "work": show(p=1), "end": WHY},
        EACH,
        {"each": 1, "check": 2, "work": 2, "end": 1},
        outputs={"end": {"why": "completed", "done": 2}},
    ),
    Case(
        "a breaker without conditions always breaks",
        {"each": each([1, 2]), "check": leave(), "work": show(p=1), "end": WHY},
        EACH,
        {"each": 1, "check": 1, "end": 1},
        outputs={"end": {"why": "break", "done": 1}},
    ),
    Case(
        "the first condition that holds gives the reason",
        {
            "each": each([1, 5]),
            "check": {
                "type": "workflow_loop_breaker",
                "config": {
                    "break_conditions": [
                        {"condition": "item > 9", "reason": "nine"},
                        {"condition": "item > 4", "reason": "four"},
                        {"condition": "item > 3", "reason": "three"},
                    ]
                },
            },
            "work": show(p=1),
            "end": WHY,
        },
        EACH,
        {"each": 1, "check": 2, "work": 1, "end": 1},
        outputs={"end": {"why": "four", "done": 2}},
    ),
    Case(
        "a breaker in a branch",
        {
            "each": each([1, 2, 3]),
            "decide": when(("item == 2", "stop"), otherwise="work"),
            "check": leave(),
            "work": show(i="{{ item }}"),
            "end": WHY,
        },
        """start > each; each > decide loop; decide > check : stop; decide > work : work
           check > each back; work > each back; each > end done""",
        {"each": 1, "decide": 2, "check": 1, "work": 1, "end": 1},
        outputs={"end": {"why": "break", "done": 2}},
    ),
    Case(
        "what ran before the breaker in its round is kept",
        {
            "again": again(loop_type="count", count=5),
            "step": add(n=1),
            "stop": leave("variables.n == 2"),
            "work": add(n=10),
            "end": show(
                n="{{ variables.n }}", r="{{ nodes.again.iterations }}", why="{{ nodes.again.exit_reason }}"
            ),
        },
        "start > again; again > step loop; step > stop; stop > work; work > again back; again > end done",
        {"again": 1, "step": 5, "stop": 5, "work": 5, "end": 1},
        outputs={"end": {"n": 55, "r": 5, "why": "completed"}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller is left with what its last round did",
        {
            "again": again(loop_type="count", count=5),
            "step": add(n=1),
            "stop": leave("variables.n == 12"),
            "work": add(n=10),
            "end": show(
                n="{{ variables.n }}", r="{{ nodes.again.iterations }}", why="{{ nodes.again.exit_reason }}"
            ),
        },
        "start > again; again > step loop; step > stop; stop > work; work > again back; again > end done",
        {"again": 1, "step": 2, "stop": 2, "work": 1, "end": 1},
        outputs={"end": {"n": 12, "r": 2, "why": "enough"}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller is left without what its last round did",
        {
            "again": again(loop_type="count", count=5),
            "step": add(n=1),
            "stop": leave("variables.n == 12", cleanup_on_break=True),
            "work": add(n=10),
            "end": show(n="{{ variables.n }}", r="{{ nodes.again.iterations }}", last="{{ nodes.step.n }}"),
        },
        "start > again; again > step loop; step > stop; stop > work; work > again back; again > end done",
        {"again": 1, "step": 2, "stop": 2, "work": 1, "end": 1},
        outputs={"end": {"n": 11, "r": 2, "last": 1}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "parallel rounds end with the batch that broke",
        {
            "each": each([1, 2, 3, 4, 5, 6], parallel_processing=True, batch_size=2),
            "check": leave("item == 3", "three"),
            "work": show(i="{{ item }}"),
            "end": WHY,
        },
        EACH,
        {"each": 1, "check": 4, "work": 3, "end": 1},
        outputs={"work[3]": {"i": 4}, "end": {"why": "three", "done": 4}},
    ),
    Case(
        "of parallel rounds that break the first gives the reason",
        {
            "each": each([1, 2, 3], parallel_processing=True),
            "check": leave("item > 1", "{{ item }}"),
            "work": show(i="{{ item }}"),
            "end": WHY,
        },
        EACH,
        {"each": 1, "check": 3, "work": 1, "end": 1},
        outputs={"end": {"why": "{{ item }}", "done": 3}},
    ),
    Case(
        "a breaker behind its branches waits for both",
        {
            "again": again(loop_type="count", count=9),
            "split": split(),
            "a": append(seen="a"),
            "b": append(seen="b"),
            "stop": leave("(variables.seen | length) == 4"),
            "end": show(seen="{{ variables.seen }}"),
        },
        """start > again; again > split loop; split > a; split > b; a > stop; b > stop; stop > again back
           again > end done""",
        {"again": 1, "split": 2, "a": 2, "b": 2, "stop": 2, "end": 1},
        outputs={"end": {"seen": ["a", "b", "a", "b"]}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "the results of a loop that was left",
        {
            "each": each([1, 2, 3], accumulator={"operation": "append", "path": "i"}),
            "work": show(i="{{ item }}"),
            "check": leave("item == 2"),
            "last": show(i="{{ item }}"),
            "end": show(left="{{ nodes.each.remaining_count }}"),
        },
        "start > each; each > work loop; work > check; check > last; last > each back; each > end done",
        {"each": 1, "work": 2, "check": 2, "last": 1, "end": 1},
        outputs={"end": {"left": 1}},
    ),
]
