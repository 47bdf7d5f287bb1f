"""What the rounds of a controller do, and what they leave."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, append, put, show, split, when

BEFORE = "start > again; again > step loop; step > again back; again > end done"
END = show(n="{{ variables.n }}", rounds="{{ nodes.again.iterations }}", why="{{ nodes.again.exit_reason }}")
N = {"variables": {"n": 0}}

CASES = [
    Case(
        "what follows reads the last output of the body",
        {
            "again": again(loop_type="count", count=3),
            "step": show(i="{{ loop.index }}"),
            "end": show(i="{{ nodes.step.i }}"),
        },
        BEFORE,
        {"again": 1, "step": 3, "end": 1},
        outputs={"end": {"i": 2}},
    ),
    Case(
        "what follows a body that never ran",
        {
            "again": again(loop_type="count", count=0),
            "step": show(i=1),
            "end": show(i="{{ nodes.step.i | default('none') }}"),
        },
        BEFORE,
        {"again": 1, "end": 1},
        outputs={"end": {"i": "none"}},
    ),
    Case(
        "a round reads what the one before gave",
        {
            "again": again(loop_type="count", count=4),
            "step": show(sum="{{ (nodes.keep.sum | default(1)) * 2 }}"),
            "keep": show(sum="{{ nodes.step.sum }}"),
            "end": show(sum="{{ nodes.keep.sum }}"),
        },
        "start > again; again > step loop; step > keep; keep > again back; again > end done",
        {"again": 1, "step": 4, "keep": 4, "end": 1},
        outputs={"step[0]": {"sum": 2}, "step[3]": {"sum": 16}, "end": {"sum": 16}},
    ),
    Case(
        "what a round knows of its loop of a controller",
        {
            "again": again(loop_type="count", count=2, loop_key="tries"),
            "step": show(
                i="{{ loop.index }}", n="{{ loop.number }}", first="{{ loop.first }}", key="{{ loop.key }}"
            ),
            "end": show(p=1),
        },
        BEFORE,
        {"again": 1, "step": 2, "end": 1},
        outputs={
            "step[0]": {"i": 0, "n": 1, "first": True, "key": "tries"},
            "step[1]": {"i": 1, "n": 2, "first": False, "key": "tries"},
        },
    ),
    Case(
        "a branch in the body of a controller",
        {
            "again": again(loop_type="count", count=4),
            "decide": when(("loop.index % 2 == 0", "even"), otherwise="odd"),
            "even": add(n=1),
            "odd": add(n=100),
            "end": END,
        },
        """start > again; again > decide loop; decide > even : even; decide > odd : odd
           even > again back; odd > again back; again > end done""",
        {"again": 1, "decide": 4, "even": 2, "odd": 2, "end": 1},
        outputs={"end": {"n": 202, "rounds": 4, "why": "completed"}},
        more=N,
    ),
    Case(
        "a merge in the body of a controller",
        {
            "again": again(loop_type="count", count=2),
            "split": split(),
            "a": append(seen="a{{ loop.index }}"),
            "b": append(seen="b{{ loop.index }}"),
            "join": show(seen="{{ variables.seen }}"),
            "end": show(seen="{{ variables.seen }}"),
        },
        """start > again; again > split loop; split > a; split > b; a > join; b > join; join > again back
           again > end done""",
        {"again": 1, "split": 2, "a": 2, "b": 2, "join": 2, "end": 1},
        outputs={"join[0]": {"seen": ["a0", "b0"]}, "end": {"seen": ["a0", "b0", "a1", "b1"]}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "tries until it works",
        {
            "again": again(
                max_iterations=5, exit_conditions=[{"type": "variable", "path": "done", "reason": "worked"}]
            ),
            "step": add(n=1),
            "check": when(("variables.n == 3", "good")),
            "good": put(done=True),
            "end": END,
        },
        "start > again; again > step loop; step > check; check > good : good; good > again back; again > end done",
        {"again": 1, "step": 3, "check": 3, "good": 1, "end": 1},
        outputs={"end": {"n": 3, "rounds": 3, "why": "worked"}},
        more={"variables": {"n": 0, "done": False}},
    ),
    Case(
        "two controllers one after the other",
        {
            "again": again(loop_key="one", loop_type="count", count=2),
            "step": add(n=1),
            "more": again(loop_key="two", loop_type="while", while_condition="variables.n < 5"),
            "work": add(n=1),
            "end": END,
        },
        """start > again; again > step loop; step > again back; again > more done
           more > work loop; work > more back; more > end done""",
        {"again": 1, "step": 2, "more": 1, "work": 3, "end": 1},
        outputs={"end": {"n": 5, "rounds": 2, "why": "completed"}},
        more=N,
    ),
]
