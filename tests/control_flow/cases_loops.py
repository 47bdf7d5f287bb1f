"""Loops over items."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, each, fail, leave, show, when

EACH = "start > each; each > work loop; work > each back; each > end done"

CASES = [
    Case(
        "for each item once",
        {
            "each": each(["a", "b", "c"]),
            "work": show(item="{{ item }}", index="{{ loop.index }}"),
            "end": show(n=1),
        },
        EACH,
        {"each": 1, "work": 3, "end": 1},
        outputs={
            "work[0]": {"item": "a", "index": 0},
            "work[2]": {"item": "c", "index": 2},
        },
    ),
    Case(
        "for each of nothing",
        {"each": each([]), "work": show(x=1), "end": show(n="{{ nodes.each.processed_count }}")},
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"n": 0}},
    ),
    Case(
        "loops inside loops",
        {
            "outer": each([1, 2], item_variable="row"),
            "inner": each(["x", "y"], item_variable="cell"),
            "work": show(at="{{ row }}{{ cell }}", up="{{ loop.parent.index }}"),
            "end": show(first="{{ nodes.outer.results[1].results[0].at }}"),
        },
        "start > outer; outer > inner loop; inner > work loop; work > inner back; inner > outer back; outer > end done",
        {"outer": 1, "inner": 2, "work": 4, "end": 1},
        outputs={"work[1][0]": {"at": "2x", "up": 1}, "end": {"first": "2x"}},
    ),
    Case(
        "variables set in a round stay in it",
        {
            "each": each([1, 2]),
            "work": add(n=1),
            "look": show(n="{{ variables.n }}"),
            "end": show(n="{{ variables.n }}"),
        },
        "start > each; each > work loop; work > look; look > each back; each > end done",
        {"each": 1, "work": 2, "look": 2, "end": 1},
        outputs={"look[0]": {"n": 1}, "look[1]": {"n": 1}, "end": {"n": 0}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller behind its body carries variables on",
        {
            "step": add(n=1),
            "again": again(
                loop_back_to="step", exit_conditions=[{"type": "variable", "path": "n", "expected_value": 3}]
            ),
            "end": show(n="{{ variables.n }}", rounds="{{ nodes.again.iterations }}"),
        },
        "start > step; step > again; again > end",
        {"step": 3, "again": 1, "end": 1},
        outputs={"end": {"n": 3, "rounds": 3}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a breaker ends the loop around it",
        {
            "each": each([1, 2, 3, 4]),
            "check": leave("{{ item }} == 3", "three"),
            "work": show(item="{{ item }}"),
            "end": show(why="{{ nodes.each.exit_reason }}", done="{{ nodes.each.processed_count }}"),
        },
        "start > each; each > check loop; check > work; work > each back; each > end done",
        {"each": 1, "check": 3, "work": 2, "end": 1},
        outputs={"end": {"why": "three", "done": 3}},
    ),
    Case(
        "a failed round fails the loop",
        {"each": each([1, 2]), "work": fail("here"), "end": show(n=1)},
        EACH,
        {},
        status="failed",
        error="round 0, node 'work'",
    ),
    Case(
        "failed rounds are gathered where the loop goes on",
        {
            "each": each([1, 2, 3], continue_on_error=True),
            "odd": when(("{{ item }} == 2", "bad"), otherwise="good"),
            "bad": fail("here"),
            "good": show(item="{{ item }}"),
            "end": show(bad="{{ nodes.each.errors[0].index }}", good="{{ nodes.each.success_count }}"),
        },
        """start > each; each > odd loop; odd > bad : bad; odd > good : good; bad > each back; good > each back
           each > end done""",
        {"each": 1, "odd": 3, "good": 2, "end": 1},
        outputs={"end": {"bad": 1, "good": 2}},
    ),
    Case(
        "a controller before its body repeats while a condition holds",
        {
            "again": again(loop_type="while", while_condition="{{ variables.n }} < 2"),
            "step": add(n=1),
            "end": show(n="{{ variables.n }}"),
        },
        "start > again; again > step loop; step > again back; again > end done",
        {"again": 1, "step": 2, "end": 1},
        outputs={"end": {"n": 2}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller looks at the output of a node in its body",
        {
            "step": add(n=1),
            "look": show(n="{{ variables.n }}"),
            "again": again(
                loop_back_to="step",
                exit_conditions=[{"condition": "{{ nodes.look.n }} >= 2", "reason": "two"}],
            ),
            "end": show(why="{{ nodes.again.exit_reason }}", last="{{ nodes.look.n }}"),
        },
        "start > step; step > look; look > again; again > end",
        {"step": 2, "look": 2, "again": 1, "end": 1},
        outputs={"end": {"why": "two", "last": 2}},
        more={"variables": {"n": 0}},
    ),
]
