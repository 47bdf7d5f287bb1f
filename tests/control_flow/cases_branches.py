"""If, else if, else."""

from __future__ import annotations

from typing import Any

from tests.control_flow.writing import Case, choose, fail, put, show, when

SCORE = when(("trigger.n > 80", "high"), ("trigger.n > 50", "middle"), otherwise="low")
THREE: dict[str, Any] = {"decide": SCORE, "high": show(p=1), "middle": show(p=2), "low": show(p=3)}
THREE_WAYS = "start > decide; decide > high : high; decide > middle : middle; decide > low : low"
YES_NO = when(("trigger.n > 0", "yes"), otherwise="no")
YES = when(("trigger.n > 0", "yes"), ("trigger.n > -9", "no"))

CASES = [
    Case("if holds", THREE, THREE_WAYS, {"decide": 1, "high": 1}, data={"n": 81}),
    Case("elif holds", THREE, THREE_WAYS, {"decide": 1, "middle": 1}, data={"n": 80}),
    Case("else where nothing holds", THREE, THREE_WAYS, {"decide": 1, "low": 1}, data={"n": 50}),
    Case(
        "an if alone that does not hold ends the way",
        {"decide": when(("trigger.n > 1", "yes")), "yes": show(p=1), "then": show(p=2)},
        "start > decide; decide > yes : yes; yes > then",
        {"decide": 1},
        outputs={
            "decide": {
                "branch": None,
                "branches": [],
                "conditions": [{"branch": "yes", "condition": "trigger.n > 1", "result": False}],
            }
        },
        data={"n": 1},
    ),
    Case(
        "first match takes one branch where two hold",
        {"decide": when(("trigger.n > 1", "a"), ("trigger.n > 2", "b")), "a": show(p=1), "b": show(p=2)},
        "start > decide; decide > a : a; decide > b : b",
        {"decide": 1, "a": 1},
        data={"n": 3},
    ),
    Case(
        "all match takes every branch that holds",
        {
            "decide": when(
                ("trigger.n > 1", "a"), ("trigger.n > 2", "b"), ("trigger.n > 3", "c"), every=True
            ),
            "a": show(p=1),
            "b": show(p=2),
            "c": show(p=3),
        },
        "start > decide; decide > a : a; decide > b : b; decide > c : c",
        {"decide": 1, "a": 1, "b": 1},
        data={"n": 3},
    ),
    Case(
        "all match takes else where nothing holds",
        {
            "decide": when(("false", "a"), ("false", "b"), otherwise="c", every=True),
            "a": show(p=1),
            "c": show(p=3),
        },
        "start > decide; decide > a : a; decide > c : c",
        {"decide": 1, "c": 1},
    ),
    Case(
        "all match leaves else out where something holds",
        {
            "decide": when(("false", "a"), ("true", "b"), otherwise="c", every=True),
            "b": show(p=1),
            "c": show(p=3),
        },
        "start > decide; decide > b : b; decide > c : c",
        {"decide": 1, "b": 1},
    ),
    Case(
        "branches that name their nodes need no edges",
        {"decide": choose(("trigger.n > 1", "a"), otherwise="b"), "a": show(p=1), "b": show(p=2)},
        "start > decide",
        {"decide": 1, "b": 1},
        data={"n": 1},
    ),
    Case(
        "an edge names a branch by its target",
        {"decide": choose(("trigger.n > 1", "a"), otherwise="b"), "a": show(p=1), "b": show(p=2)},
        "start > decide; decide > a : a; decide > b : b",
        {"decide": 1, "a": 1},
        data={"n": 2},
    ),
    Case(
        "a bare edge to a branch's target is the branch's",
        {"decide": choose(("trigger.n > 1", "a"), otherwise="b"), "a": show(p=1), "b": show(p=2)},
        "start > decide; decide > a; decide > b",
        {"decide": 1, "a": 1},
        data={"n": 2},
    ),
    Case(
        "one branch leads to two nodes",
        {"decide": YES_NO, "a": show(p=1), "b": show(p=2), "c": show(p=3)},
        "start > decide; decide > a : yes; decide > b : yes; decide > c : no",
        {"decide": 1, "a": 1, "b": 1},
        data={"n": 1},
    ),
    Case(
        "two branches lead to one node",
        {
            "decide": when(("trigger.n == 1", "one"), ("trigger.n == 2", "two"), otherwise="many"),
            "few": show(p="{{ nodes.decide.branch }}"),
            "lots": show(p=3),
        },
        "start > decide; decide > few : one; decide > few : two; decide > lots : many",
        {"decide": 1, "few": 1},
        outputs={"few": {"p": "two"}},
        data={"n": 2},
    ),
    Case(
        "a branch that leads nowhere ends quietly",
        {"decide": YES, "yes": show(p=1)},
        "start > decide; decide > yes : yes",
        {"decide": 1},
        data={"n": 0},
    ),
    Case(
        "a plain edge from a condition is taken whatever it decides",
        {"decide": YES, "yes": show(p=1), "always": show(took="{{ nodes.decide.branch }}")},
        "start > decide; decide > yes : yes; decide > always",
        {"decide": 1, "always": 1},
        outputs={"always": {"took": "no"}},
        data={"n": 0},
    ),
    Case(
        "later nodes read what was decided",
        {
            "decide": when(("trigger.n > 1", "a"), ("trigger.n > 2", "b"), every=True),
            "a": show(p=1),
            "look": show(
                first="{{ nodes.decide.branch }}",
                all="{{ nodes.decide.branches }}",
                second="{{ nodes.decide.conditions[1].result }}",
            ),
        },
        "start > decide; decide > a : a; a > look",
        {"decide": 1, "a": 1, "look": 1},
        outputs={"look": {"first": "a", "all": ["a", "b"], "second": True}},
        data={"n": 5},
    ),
    Case(
        "a branch in a branch",
        {
            "outer": YES_NO,
            "inner": when(("trigger.n > 5", "big"), otherwise="small"),
            "big": show(p=1),
            "small": show(p=2),
            "none": show(p=3),
        },
        "start > outer; outer > inner : yes; outer > none : no; inner > big : big; inner > small : small",
        {"outer": 1, "inner": 1, "small": 1},
        data={"n": 3},
    ),
    Case(
        "what stands behind a branch not taken is skipped to its end",
        {"outer": YES_NO, "inner": when(("true", "a")), "a": show(p=1), "b": show(p=2), "no": show(p=3)},
        "start > outer; outer > inner : yes; inner > a : a; a > b; outer > no : no",
        {"outer": 1, "no": 1},
        data={"n": 0},
    ),
    Case(
        "a condition after the one that held is not looked at",
        {"decide": when(("true", "a"), ("no_such_name == 1", "b")), "a": show(p=1), "b": show(p=2)},
        "start > decide; decide > a : a; decide > b : b",
        {"decide": 1, "a": 1},
    ),
    Case(
        "a condition that cannot be evaluated fails the workflow",
        {"decide": when(("no_such_name == 1", "a"), otherwise="b"), "a": show(p=1), "b": show(p=2)},
        "start > decide; decide > a : a; decide > b : b",
        {},
        status="failed",
        error="config.conditions[0].if",
    ),
    Case(
        "conditions see variables set before them",
        {"set": put(n=7), "decide": when(("variables.n == 7", "yes")), "yes": show(p=1)},
        "start > set; set > decide; decide > yes : yes",
        {"set": 1, "decide": 1, "yes": 1},
        more={"variables": {"n": 1}},
    ),
    Case(
        "conditions see outputs of nodes before them",
        {"a": show(n=7), "decide": when(("{{ nodes.a.n }} > 6", "yes")), "yes": show(p=1)},
        "start > a; a > decide; decide > yes : yes",
        {"a": 1, "decide": 1, "yes": 1},
    ),
    Case(
        "two conditions decide side by side",
        {
            "one": when(("trigger.n > 0", "yes"), otherwise="no"),
            "two": when(("trigger.n > 9", "yes"), otherwise="no"),
            "a": show(p=1),
            "b": show(p=2),
            "c": show(p=3),
            "d": show(p=4),
        },
        "start > one; start > two; one > a : yes; one > b : no; two > c : yes; two > d : no",
        {"one": 1, "two": 1, "a": 1, "d": 1},
        data={"n": 5},
    ),
    Case(
        "a failure in a branch not taken does not happen",
        {"decide": YES_NO, "yes": fail(), "no": show(p=1)},
        "start > decide; decide > yes : yes; decide > no : no",
        {"decide": 1, "no": 1},
        data={"n": 0},
    ),
]
