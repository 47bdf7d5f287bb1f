"""Branches side by side."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, append, fail, gather, merge, put, show, split, unset, when

FORK = "start > split; split > a; split > b; a > join; b > join"
BOTH = {"split": 1, "a": 1, "b": 1, "join": 1}

CASES = [
    Case(
        "split and merge",
        {"split": split(), "a": show(x=1), "b": show(y=2), "join": merge()},
        FORK,
        BOTH,
        outputs={"join": {"branches": {"a": {"x": 1}, "b": {"y": 2}}}, "split": {}},
    ),
    Case(
        "edges marked parallel",
        {"split": split(), "a": show(x=1), "b": show(y=2), "join": gather("a", "b")},
        "start > split; split > a parallel; split > b parallel; a > join; b > join",
        BOTH,
        outputs={"join": {"x": 1, "y": 2}},
    ),
    Case(
        "of merged branches the later source wins",
        {
            "split": split(),
            "a": show(x=1, deep={"l": 1}),
            "b": show(x=2, deep={"r": 2}),
            "join": gather("b", "a"),
        },
        FORK,
        BOTH,
        outputs={"join": {"x": 1, "deep": {"l": 1, "r": 2}}},
    ),
    Case(
        "no split node is needed",
        {"a": show(x=1), "b": show(y=2), "join": merge()},
        "start > a; start > b; a > join; b > join",
        {"a": 1, "b": 1, "join": 1},
        outputs={"join": {"branches": {"a": {"x": 1}, "b": {"y": 2}}}},
    ),
    Case(
        "counts of branches add up where they meet",
        {"split": split(), "a": add(n=1), "b": add(n=10), "join": show(n="{{ variables.n }}")},
        FORK,
        BOTH,
        outputs={"a": {"n": 101}, "b": {"n": 110}, "join": {"n": 111}},
        more={"variables": {"n": 100}},
    ),
    Case(
        "lists of branches are joined in the listed order",
        {
            "split": split(),
            "a": append(seen="a"),
            "b": append(seen=["b", "c"]),
            "join": show(s="{{ variables.seen }}"),
        },
        FORK,
        BOTH,
        outputs={"join": {"s": ["a", "b", "c"]}},
        more={"variables": {"seen": []}},
    ),
    Case(
        "a variable set in one branch is unknown in the other",
        {
            "split": split(),
            "a": put(n=1),
            "b": show(n="{{ variables.n }}"),
            "join": show(n="{{ variables.n }}"),
        },
        FORK,
        BOTH,
        outputs={"b": {"n": 0}, "join": {"n": 1}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "of two branches that set a variable the later listed wins",
        {"split": split(), "a": put(n="a"), "b": put(n="b"), "join": show(n="{{ variables.n }}")},
        FORK,
        BOTH,
        outputs={"join": {"n": "b"}},
        more={"variables": {"n": ""}},
    ),
    Case(
        "a variable removed in one branch is there in the other",
        {
            "split": split(),
            "a": unset("n"),
            "b": show(n="{{ variables.n }}"),
            "join": show(n="{{ variables.n | default('gone') }}"),
        },
        FORK,
        BOTH,
        outputs={"b": {"n": 5}, "join": {"n": "gone"}},
        more={"variables": {"n": 5}},
    ),
    Case(
        "three branches of different length count",
        {
            "a": add(n=1),
            "b": add(n=1),
            "b2": add(n=1),
            "c": add(n=1),
            "c2": add(n=1),
            "c3": add(n=1),
            "join": show(n="{{ variables.n }}"),
        },
        "start > a; start > b; b > b2; start > c; c > c2; c2 > c3; a > join; b2 > join; c3 > join",
        {"a": 1, "b": 1, "b2": 1, "c": 1, "c2": 1, "c3": 1, "join": 1},
        outputs={"b2": {"n": 2}, "c3": {"n": 3}, "join": {"n": 6}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "what stood before the split counts once where branches meet",
        {
            "before": add(n=5),
            "split": split(),
            "a": add(n=1),
            "b": add(n=1),
            "join": add(n=1),
            "end": show(n="{{ variables.n }}"),
        },
        "start > before; before > split; split > a; split > b; a > join; b > join; join > end",
        {"before": 1, "split": 1, "a": 1, "b": 1, "join": 1, "end": 1},
        outputs={"end": {"n": 8}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a split in a branch of a split",
        {
            "one": split(),
            "two": split(),
            "a": show(p=1),
            "b": show(p=2),
            "c": show(p=3),
            "inner": merge(),
            "outer": merge(),
        },
        "start > one; one > two; one > c; two > a; two > b; a > inner; b > inner; inner > outer; c > outer",
        {"one": 1, "two": 1, "a": 1, "b": 1, "c": 1, "inner": 1, "outer": 1},
        outputs={
            "outer": {"branches": {"inner": {"branches": {"a": {"p": 1}, "b": {"p": 2}}}, "c": {"p": 3}}}
        },
    ),
    Case(
        "branches side by side that decide for themselves",
        {
            "split": split(),
            "a": when(("trigger.n > 0", "go")),
            "a2": show(p="a"),
            "b": when(("trigger.n > 9", "go")),
            "b2": show(p="b"),
            "join": merge(),
        },
        "start > split; split > a; split > b; a > a2 : go; b > b2 : go; a2 > join; b2 > join",
        {"split": 1, "a": 1, "a2": 1, "b": 1, "join": 1},
        outputs={"join": {"branches": {"a2": {"p": "a"}}}},
        data={"n": 1},
    ),
    Case(
        "a branch that fails does not stop the other",
        {"split": split(), "a": fail(), "a2": show(p=1), "b": show(p=2), "b2": show(p=3)},
        "start > split; split > a; split > b; a > a2; b > b2",
        {"split": 1, "b": 1, "b2": 1},
        status="failed",
        error="nothing_called_boom",
    ),
    Case(
        "where a branch failed its merge does not run",
        {"split": split(), "a": fail(), "b": show(p=2), "join": merge(), "after": show(p=3)},
        FORK + "; join > after",
        {"split": 1, "b": 1},
        status="failed",
        error="nothing_called_boom",
    ),
    Case(
        "branches that never meet give an output each",
        {"split": split(), "a": show(p=1), "b": show(p=2)},
        "start > split; split > a; split > b",
        {"split": 1, "a": 1, "b": 1},
        outputs={"a": {"p": 1}, "b": {"p": 2}},
    ),
]
