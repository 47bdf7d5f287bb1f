"""Breakers inside several loops: which of them is left."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, each, leave, show

TWO = """start > outer; outer > inner loop; inner > stop loop; stop > work; work > inner back
         inner > after done; after > outer back; outer > end done"""
WHERE = "{{ nodes.outer.exit_reason }}"

CASES = [
    Case(
        "the innermost loop is left",
        {
            "outer": each([1, 2], item_variable="row"),
            "inner": each([1, 2, 3]),
            "stop": leave("item == 2", "two"),
            "work": show(v="{{ row }}{{ item }}"),
            "after": show(why="{{ nodes.inner.exit_reason }}"),
            "end": show(why=WHERE),
        },
        TWO,
        {"outer": 1, "inner": 2, "stop": 4, "work": 2, "after": 2, "end": 1},
        outputs={"after[1]": {"why": "two"}, "end": {"why": "completed"}},
    ),
    Case(
        "the outer loop is left by its node id",
        {
            "outer": each([1, 2], item_variable="row"),
            "inner": each([1, 2, 3]),
            "stop": leave("item == 2", "out", loop_key="outer"),
            "work": show(v="{{ row }}{{ item }}"),
            "after": show(p=1),
            "end": show(why=WHERE, done="{{ nodes.outer.processed_count }}"),
        },
        TWO,
        {"outer": 1, "inner": 1, "stop": 2, "work": 1, "end": 1},
        outputs={"end": {"why": "out", "done": 1}},
    ),
    Case(
        "the outer controller is left by its key",
        {
            "outer": again(loop_key="main", loop_type="count", count=3),
            "inner": again(loop_key="sub", loop_type="count", count=3),
            "stop": leave("variables.n == 4", "out", loop_key="main"),
            "work": add(n=1),
            "after": show(p=1),
            "end": show(why=WHERE, n="{{ variables.n }}", r="{{ nodes.outer.iterations }}"),
        },
        TWO,
        {"outer": 1, "inner": 2, "stop": 5, "work": 4, "after": 1, "end": 1},
        outputs={"end": {"why": "out", "n": 4, "r": 2}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "the outer controller is left and its last round dropped",
        {
            "outer": again(loop_key="main", loop_type="count", count=3),
            "inner": again(loop_key="sub", loop_type="count", count=3),
            "stop": leave("variables.n == 4", "out", loop_key="main", cleanup_on_break=True),
            "work": add(n=1),
            "after": show(p=1),
            "end": show(why=WHERE, n="{{ variables.n }}"),
        },
        TWO,
        {"outer": 1, "inner": 2, "stop": 5, "work": 4, "after": 1, "end": 1},
        outputs={"end": {"why": "out", "n": 3}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller is left out of a loop over items in it",
        {
            "outer": again(loop_key="main", loop_type="count", count=3),
            "inner": each([1, 2, 3]),
            "stop": leave("item == 2", "out", loop_key="main"),
            "work": show(v="{{ item }}"),
            "after": show(p=1),
            "end": show(why=WHERE, r="{{ nodes.outer.iterations }}"),
        },
        TWO,
        {"outer": 1, "inner": 1, "stop": 2, "work": 1, "end": 1},
        outputs={"end": {"why": "out", "r": 1}},
    ),
    Case(
        "a loop over items is left out of a controller in it",
        {
            "outer": each([1, 2]),
            "inner": again(loop_key="sub", loop_type="count", count=3),
            "stop": leave("loop.index == 1", "out", loop_key="outer"),
            "work": show(v="{{ item }}"),
            "after": show(p=1),
            "end": show(why=WHERE, done="{{ nodes.outer.processed_count }}"),
        },
        TWO,
        {"outer": 1, "inner": 1, "stop": 2, "work": 1, "end": 1},
        outputs={"end": {"why": "out", "done": 1}},
    ),
    Case(
        "two loops are left at once",
        {
            "top": each([1, 2], item_variable="t"),
            "outer": each([1, 2], item_variable="row"),
            "inner": each([1, 2]),
            "stop": leave("t == 1 and row == 1", "out", loop_key="top"),
            "end": show(why="{{ nodes.top.exit_reason }}", done="{{ nodes.top.processed_count }}"),
        },
        """start > top; top > outer loop; outer > inner loop; inner > stop loop; stop > inner back
           inner > outer back; outer > top back; top > end done""",
        {"top": 1, "outer": 1, "inner": 1, "stop": 1, "end": 1},
        outputs={"end": {"why": "out", "done": 1}},
    ),
    Case(
        "the middle one of three loops is left",
        {
            "top": each([1, 2], item_variable="t"),
            "outer": each([1, 2], item_variable="row"),
            "inner": each([1, 2]),
            "stop": leave("row == 1", "out", loop_key="outer"),
            "end": show(why="{{ nodes.top.results | map('exit_reason') }}"),
        },
        """start > top; top > outer loop; outer > inner loop; inner > stop loop; stop > inner back
           inner > outer back; outer > top back; top > end done""",
        {"top": 1, "outer": 2, "inner": 2, "stop": 2, "end": 1},
        outputs={"end": {"why": ["out", "out"]}},
    ),
]
