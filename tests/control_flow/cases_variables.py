"""Variables on their way through a workflow."""

from __future__ import annotations

from tests.control_flow.writing import (
    Case,
    add,
    again,
    append,
    each,
    fail,
    leave,
    put,
    show,
    split,
    unset,
    when,
)

LOOK = show(n="{{ variables.n }}")
N = {"variables": {"n": 0}}

CASES = [
    Case("a default", {"look": LOOK}, "start > look", {"look": 1}, outputs={"look": {"n": 0}}, more=N),
    Case(
        "what the run gives is not the default",
        {"look": LOOK},
        "start > look",
        {"look": 1},
        outputs={"look": {"n": 4}},
        data={"n": 4},
        more=N,
    ),
    Case(
        "set then count then count",
        {"a": put(n=10), "b": add(n=5), "c": add(n=-2), "look": LOOK},
        "start > a; a > b; b > c; c > look",
        {"a": 1, "b": 1, "c": 1, "look": 1},
        outputs={"a": {"n": 10}, "b": {"n": 15}, "c": {"n": 13}, "look": {"n": 13}},
        more=N,
    ),
    Case(
        "a variable made on the way",
        {"a": put(made="x"), "look": show(m="{{ variables.made }}{{ made }}")},
        "start > a; a > look",
        {"a": 1, "look": 1},
        outputs={"look": {"m": "xx"}},
    ),
    Case(
        "one item and a list appended",
        {
            "a": append(seen=1),
            "b": append(seen=[2, 3]),
            "c": append(seen=[[4]]),
            "look": show(s="{{ variables.seen }}"),
        },
        "start > a; a > b; b > c; c > look",
        {"a": 1, "b": 1, "c": 1, "look": 1},
        outputs={"look": {"s": [1, 2, 3, [4]]}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "removed and asked for",
        {"a": unset("n"), "look": show(n="{{ variables.n | default('gone') }}")},
        "start > a; a > look",
        {"a": 1, "look": 1},
        outputs={"look": {"n": "gone"}},
        more=N,
    ),
    Case(
        "removed and counted from nothing",
        {"a": put(n=5), "b": unset("n"), "c": add(n=2), "look": LOOK},
        "start > a; a > b; b > c; c > look",
        {"a": 1, "b": 1, "c": 1, "look": 1},
        outputs={"look": {"n": 2}},
        more=N,
    ),
    Case(
        "set in the branch taken only",
        {"decide": when(("true", "a"), otherwise="b"), "a": put(n=1), "b": put(n=2), "look": LOOK},
        "start > decide; decide > a : a; decide > b : b; a > look; b > look",
        {"decide": 1, "a": 1, "look": 1},
        outputs={"look": {"n": 1}},
        more=N,
    ),
    Case(
        "a node that failed changed nothing",
        {
            "a": put(n=1),
            "bad": fail(on_error="continue"),
            "look": show(n="{{ variables.n }}", x="{{ variables.x | default(0) }}"),
        },
        "start > a; a > bad; bad > look",
        {"a": 1, "bad": 1, "look": 1},
        outputs={"look": {"n": 1, "x": 0}},
        more=N,
    ),
    Case(
        "one node does several things",
        {
            "a": {
                "type": "set_variable",
                "config": {
                    "name": "who",
                    "value": "eva",
                    "increment": {"n": 2},
                    "append": {"l": "x"},
                    "unset": ["old"],
                },
            },
            "look": show(all="{{ variables }}"),
        },
        "start > a; a > look",
        {"a": 1, "look": 1},
        outputs={
            "a": {"who": "eva", "n": 2, "l": ["x"]},
            "look": {"all": {"n": 2, "who": "eva", "l": ["x"]}},
        },
        more={"variables": {"n": 0, "old": 1}},
    ),
    Case(
        "counting what is no number fails",
        {"a": add(n=1)},
        "start > a",
        {},
        status="failed",
        error="variable 'n' is no number",
        more={"variables": {"n": "text"}},
    ),
    Case(
        "set in one branch and counted in the other",
        {"split": split(), "a": put(n=100), "b": add(n=1), "look": LOOK},
        "start > split; split > a; split > b; a > look; b > look",
        {"split": 1, "a": 1, "b": 1, "look": 1},
        outputs={"b": {"n": 1}, "look": {"n": 101}},
        more=N,
    ),
    Case(
        "a list grows over the rounds of a controller",
        {
            "again": again(loop_type="count", count=3),
            "step": append(seen="{{ loop.index }}"),
            "look": show(s="{{ variables.seen }}"),
        },
        "start > again; again > step loop; step > again back; again > look done",
        {"again": 1, "step": 3, "look": 1},
        outputs={"look": {"s": [0, 1, 2]}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "set and counted in the same round",
        {
            "again": again(loop_type="count", count=3),
            "reset": put(n="{{ loop.index * 10 }}"),
            "step": add(n=1),
            "look": LOOK,
        },
        "start > again; again > reset loop; reset > step; step > again back; again > look done",
        {"again": 1, "reset": 3, "step": 3, "look": 1},
        outputs={"step[0]": {"n": 1}, "step[2]": {"n": 21}, "look": {"n": 21}},
        more=N,
    ),
    Case(
        "removed in one round and counted in the next",
        {
            "again": again(loop_type="count", count=3),
            "second": when(("loop.index == 1", "drop"), otherwise="count"),
            "drop": unset("n"),
            "count": add(n=1),
            "look": LOOK,
        },
        """start > again; again > second loop; second > drop : drop; second > count : count
           drop > again back; count > again back; again > look done""",
        {"again": 1, "second": 3, "drop": 1, "count": 2, "look": 1},
        outputs={"count[0]": {"n": 8}, "count[2]": {"n": 1}, "look": {"n": 1}},
        more={"variables": {"n": 7}},
    ),
    Case(
        "branches in a round add up and so do rounds",
        {
            "again": again(loop_type="count", count=4),
            "split": split(),
            "a": add(n=1),
            "b": add(n=10),
            "look": LOOK,
        },
        """start > again; again > split loop; split > a; split > b; a > again back; b > again back
           again > look done""",
        {"again": 1, "split": 4, "a": 4, "b": 4, "look": 1},
        outputs={"a[0]": {"n": 1}, "a[1]": {"n": 12}, "look": {"n": 44}},
        more=N,
    ),
    Case(
        "rounds of a loop over items see what was set before it and leave nothing",
        {"a": put(n=5), "each": each([1, 2]), "step": add(n="{{ item }}"), "end": add(n=100)},
        "start > a; a > each; each > step loop; step > each back; each > end done",
        {"a": 1, "each": 1, "step": 2, "end": 1},
        outputs={"step[0]": {"n": 6}, "step[1]": {"n": 7}, "end": {"n": 105}},
        more=N,
    ),
    Case(
        "a round that is cleaned up leaves nothing",
        {
            "again": again(loop_type="count", count=5),
            "step": add(n=1),
            "stop": leave("variables.n == 3", cleanup_on_break=True),
            "look": LOOK,
        },
        "start > again; again > step loop; step > stop; stop > again back; again > look done",
        {"again": 1, "step": 3, "stop": 3, "look": 1},
        outputs={"look": {"n": 2}},
        more=N,
    ),
]
