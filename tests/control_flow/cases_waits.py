"""Nodes that wait: alone, beside others, in loops, and in workflows that others call."""

from __future__ import annotations

from typing import Any

from tests.control_flow.cases_sub_workflows import call, other, use
from tests.control_flow.writing import Case, add, again, append, each, fail, leave, merge, show, split, when

EACH = "start > each; each > pause loop; pause > work; work > each back; each > end done"


def pause(seconds: Any = 0.2) -> dict[str, Any]:
    """A node that waits."""
    return {"type": "wait_delay", "config": {"delay_seconds": seconds}}


WAITS = other(
    "waits", {"pause": pause(), "say": show(text="{{ trigger.who }}")}, "start > pause; pause > say"
)
WAITS_TWICE = other(
    "waits_twice",
    {"inner": call("waits", context_mapping={"who": "{{ trigger.who }}"}), "pause": pause()},
    "start > inner; inner > pause",
)
BLOCK = other(
    "waiting_block",
    {"pause": pause(), "work": show(twice="{{ variables.n * 2 }}")},
    "start > pause; pause > work",
    variables={"n": {"type": "number", "required": True}},
    outputs={"twice": {"value": "{{ nodes.work.twice }}", "type": "number"}},
)

CASES = [
    Case(
        "a pause between two nodes",
        {"first": show(n=1), "pause": pause(), "last": show(n="{{ nodes.first.n + 1 }}")},
        "start > first; first > pause; pause > last",
        {"first": 1, "pause": 1, "last": 1},
        outputs={"last": {"n": 2}},
    ),
    Case(
        "what stood before a pause is what stands behind it",
        {
            "before": append(seen="first"),
            "pause": pause("{{ 0.1 + 0.1 }}"),
            "after": show(seen="{{ variables.seen }}", waited="{{ nodes.pause.waited_seconds }}"),
        },
        "start > before; before > pause; pause > after",
        {"before": 1, "pause": 1, "after": 1},
        outputs={"after": {"seen": ["first"], "waited": 0.2}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "a branch that waits holds up no other",
        {
            "split": split(),
            "pause": pause(0.5),
            "slow": show(n=1),
            "quick": show(n=2),
            "merge": merge(),
            "end": show(n=3),
        },
        "start > split; split > pause; pause > slow; split > quick; slow > merge; quick > merge; merge > end",
        {"split": 1, "pause": 1, "slow": 1, "quick": 1, "merge": 1, "end": 1},
    ),
    Case(
        "pauses side by side",
        {"split": split(), "short": pause(0.1), "long": pause(0.4), "merge": merge(), "end": show(n=1)},
        "start > split; split > short; split > long; short > merge; long > merge; merge > end",
        {"split": 1, "short": 1, "long": 1, "merge": 1, "end": 1},
    ),
    Case(
        "a pause on a branch that is not taken",
        {
            "which": when(("1 > 2", "a"), otherwise="b"),
            "pause": pause(60),
            "quick": show(n=1),
            "end": show(n=2),
        },
        "start > which; which > pause : a; which > quick : b; pause > end; quick > end",
        {"which": 1, "quick": 1, "end": 1},
    ),
    Case(
        "a failure beside a pause fails the workflow when the pause is over",
        {"split": split(), "pause": pause(), "slow": show(n=1), "bad": fail("beside")},
        "start > split; split > pause; pause > slow; split > bad",
        {"split": 1, "pause": 1, "slow": 1},
        status="failed",
        error="nothing_called_beside",
    ),
    Case(
        "a failure that was handled before a pause stays handled",
        {"bad": fail("early"), "handle": show(of="{{ error.node }}"), "pause": pause(), "end": show(n=1)},
        "start > bad; bad > handle : error; handle > pause; pause > end",
        {"bad": 1, "handle": 1, "pause": 1, "end": 1},
        outputs={"handle": {"of": "bad"}},
    ),
    Case(
        "a pause in each round",
        {
            "each": each([1, 2, 3]),
            "pause": pause(),
            "work": show(i="{{ item }}"),
            "end": show(n="{{ nodes.each.results }}"),
        },
        EACH,
        {"each": 1, "pause": 3, "work": 3, "end": 1},
        outputs={"end": {"n": [{"i": 1}, {"i": 2}, {"i": 3}]}},
    ),
    Case(
        "rounds side by side wait together",
        {
            "each": each(4, parallel_processing=True, batch_size=4),
            "pause": pause("{{ 0.1 * (item + 1) }}"),
            "work": show(i="{{ item }}"),
            "end": show(n="{{ nodes.each.success_count }}"),
        },
        EACH,
        {"each": 1, "pause": 4, "work": 4, "end": 1},
        outputs={"end": {"n": 4}},
    ),
    Case(
        "rounds that failed stay failed behind a pause",
        {
            "each": each([1, 2, 3], continue_on_error=True),
            "odd": when(("item == 2", "bad"), otherwise="good"),
            "bad": fail("middle"),
            "good": pause(),
            "end": show(
                failed="{{ nodes.each.errors | map('index') }}", why="{{ nodes.each.errors[0].error.type }}"
            ),
        },
        """start > each; each > odd loop; odd > bad : bad; odd > good : good
           bad > each back; good > each back; each > end done""",
        {"each": 1, "odd": 3, "good": 2, "end": 1},
        outputs={"end": {"failed": [1], "why": "ConfigError"}},
    ),
    Case(
        "a round that fails behind its pause fails the loop",
        {"each": each([1, 2]), "pause": pause(), "work": fail("late"), "end": show(n=1)},
        EACH,
        {"pause": 1},
        status="failed",
        error="round 0, node 'work'",
    ),
    Case(
        "a pause in a loop in a loop",
        {
            "outer": each(2, item_variable="o"),
            "inner": each(2, item_variable="i"),
            "pause": pause(0.1),
            "work": show(at="{{ o }}{{ i }}"),
            "end": show(n="{{ nodes.outer.results | map('success_count') }}"),
        },
        """start > outer; outer > inner loop; inner > pause loop; pause > work; work > inner back
           inner > outer back done; outer > end done""",
        {"outer": 1, "inner": 2, "pause": 4, "work": 4, "end": 1},
        outputs={"end": {"n": [2, 2]}, "work[1][0]": {"at": "10"}},
    ),
    Case(
        "a controller asks again after a pause",
        {
            "count": add(n=1),
            "pause": pause(),
            "again": again(
                loop_back_to="count", exit_conditions=[{"condition": "variables.n >= 3", "reason": "ready"}]
            ),
            "end": show(n="{{ variables.n }}", why="{{ nodes.again.exit_reason }}"),
        },
        "start > count; count > pause; pause > again; again > end",
        {"count": 3, "pause": 3, "again": 1, "end": 1},
        outputs={"end": {"n": 3, "why": "ready"}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a breaker behind a pause",
        {
            "each": each(5),
            "pause": pause(0.1),
            "stop": leave("item == 1", reason="found"),
            "end": show(why="{{ nodes.each.exit_reason }}", n="{{ nodes.each.processed_count }}"),
        },
        "start > each; each > pause loop; pause > stop; stop > each back; each > end done",
        {"each": 1, "pause": 2, "stop": 2, "end": 1},
        outputs={"end": {"why": "found", "n": 2}},
    ),
    Case(
        "a workflow that waits is waited for",
        {
            "call": call("waits", context_mapping={"who": "Ann"}),
            "end": show(x="{{ nodes.call.output.text }}"),
        },
        "start > call; call > end",
        {"call": 1, "end": 1},
        outputs={"end": {"x": "Ann"}},
        others=[WAITS],
    ),
    Case(
        "three deep, and each of them waits",
        {"pause": pause(), "call": call("waits_twice", context_mapping={"who": "Ann"}), "end": show(n=1)},
        "start > pause; pause > call; call > end",
        {"pause": 1, "call": 1, "end": 1},
        others=[WAITS, WAITS_TWICE],
    ),
    Case(
        "a building block that waits, in rounds side by side",
        {
            "each": each([1, 2], parallel_processing=True),
            "pause": pause(0.1),
            "work": use("waiting_block", n="{{ item }}"),
            "end": show(n="{{ nodes.each.results | map('outputs') | map('twice') }}"),
        },
        EACH,
        {"each": 1, "pause": 2, "work": 2, "end": 1},
        outputs={"end": {"n": [2, 4]}},
        others=[BLOCK],
    ),
]
