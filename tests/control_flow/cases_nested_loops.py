"""Loops inside loops."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, append, each, gather, leave, merge, show, split, when

TWO = "start > outer; outer > inner loop; inner > work loop; work > inner back; inner > outer back; outer > end done"

CASES = [
    Case(
        "loops inside loops",
        {
            "outer": each([1, 2], item_variable="row"),
            "inner": each(["x", "y"], item_variable="cell"),
            "work": show(at="{{ row }}{{ cell }}", up="{{ loop.parent.index }}"),
            "end": show(first="{{ nodes.outer.results[1].results[0].at }}"),
        },
        TWO,
        {"outer": 1, "inner": 2, "work": 4, "end": 1},
        outputs={"work[1][0]": {"at": "2x", "up": 1}, "end": {"first": "2x"}},
    ),
    Case(
        "three loops deep",
        {
            "a": each([1, 2], item_variable="x"),
            "b": each([1, 2], item_variable="y"),
            "c": each([1, 2], item_variable="z"),
            "work": show(at="{{ x }}{{ y }}{{ z }}", top="{{ loop.parent.parent.item }}"),
            "end": show(n="{{ nodes.a.results[1].results[0].results[1].at }}"),
        },
        """start > a; a > b loop; b > c loop; c > work loop; work > c back; c > b back; b > a back
           a > end done""",
        {"a": 1, "b": 2, "c": 4, "work": 8, "end": 1},
        outputs={"work[1][0][1]": {"at": "212", "top": 2}, "end": {"n": "212"}},
    ),
    Case(
        "the inner loop goes through the outer's item",
        {
            "outer": each([{"cells": [1, 2]}, {"cells": []}, {"cells": [3]}], item_variable="row"),
            "inner": each("{{ row.cells }}"),
            "work": show(v="{{ item }}"),
            "end": show(n="{{ nodes.outer.results | map('processed_count') }}"),
        },
        TWO,
        {"outer": 1, "inner": 3, "work": 3, "end": 1},
        outputs={"work[0][1]": {"v": 2}, "work[2][0]": {"v": 3}, "end": {"n": [2, 0, 1]}},
    ),
    Case(
        "an inner item of the same name hides the outer",
        {
            "outer": each(["o"]),
            "inner": each(["i"]),
            "work": show(v="{{ item }}", up="{{ loop.parent.item }}"),
            "after": show(v="{{ item }}"),
            "end": show(p=1),
        },
        """start > outer; outer > inner loop; inner > work loop; work > inner back; inner > after done
           after > outer back; outer > end done""",
        {"outer": 1, "inner": 1, "work": 1, "after": 1, "end": 1},
        outputs={"work[0][0]": {"v": "i", "up": "o"}, "after[0]": {"v": "o"}},
    ),
    Case(
        "nodes before and behind the inner loop",
        {
            "outer": each([1, 2], item_variable="row"),
            "before": show(v="{{ row * 10 }}"),
            "inner": each([1, 2]),
            "work": show(v="{{ nodes.before.v + item }}"),
            "after": show(v="{{ nodes.inner.results | map('v') }}"),
            "end": show(r="{{ nodes.outer.results | map('v') }}"),
        },
        """start > outer; outer > before loop; before > inner; inner > work loop; work > inner back
           inner > after done; after > outer back; outer > end done""",
        {"outer": 1, "before": 2, "inner": 2, "work": 4, "after": 2, "end": 1},
        outputs={"end": {"r": [[11, 12], [21, 22]]}},
    ),
    Case(
        "two loops one after the other in a body",
        {
            "outer": each([1, 2], item_variable="row"),
            "one": each([1, 2]),
            "a": show(v="{{ row + item }}"),
            "two": each("{{ nodes.one.results }}"),
            "b": show(v="{{ item.v * 10 }}"),
            "end": show(r="{{ nodes.outer.results[1].results | map('v') }}"),
        },
        """start > outer; outer > one loop; one > a loop; a > one back; one > two done
           two > b loop; b > two back; two > outer back; outer > end done""",
        {"outer": 1, "one": 2, "a": 4, "two": 2, "b": 4, "end": 1},
        outputs={"end": {"r": [30, 40]}},
    ),
    Case(
        "an inner loop in one branch of the body",
        {
            "outer": each([1, 2], item_variable="row"),
            "decide": when(("row == 2", "deep"), otherwise="flat"),
            "inner": each([1, 2, 3]),
            "work": show(v="{{ item }}"),
            "flat": show(v="flat"),
            "join": gather("inner", "flat"),
            "end": show(n="{{ nodes.outer.results[1].processed_count }}", f="{{ nodes.outer.results[0].v }}"),
        },
        """start > outer; outer > decide loop; decide > inner : deep; decide > flat : flat
           inner > work loop; work > inner back; inner > join done; flat > join
           join > outer back; outer > end done""",
        {"outer": 1, "decide": 2, "inner": 1, "work": 3, "flat": 1, "join": 2, "end": 1},
        outputs={"end": {"n": 3, "f": "flat"}},
    ),
    Case(
        "a branch in the inner body",
        {
            "outer": each([1, 2], item_variable="row"),
            "inner": each([1, 2]),
            "decide": when(("row == item", "same"), otherwise="other"),
            "same": show(v=1),
            "other": show(v=0),
            "end": show(p=1),
        },
        """start > outer; outer > inner loop; inner > decide loop; decide > same : same; decide > other : other
           same > inner back; other > inner back; inner > outer back; outer > end done""",
        {"outer": 1, "inner": 2, "decide": 4, "same": 2, "other": 2, "end": 1},
        outputs={"same[0][0]": {"v": 1}, "other[1][0]": {"v": 0}},
    ),
    Case(
        "accumulated on both levels",
        {
            "outer": each(
                [10, 20], item_variable="row", accumulator={"operation": "sum", "path": "accumulated"}
            ),
            "inner": each([1, 2], accumulator={"operation": "sum", "path": "v"}),
            "work": show(v="{{ row + item }}"),
            "end": show(sum="{{ nodes.outer.accumulated }}"),
        },
        TWO,
        {"outer": 1, "inner": 2, "work": 4, "end": 1},
        outputs={"end": {"sum": 66}},
    ),
    Case(
        "parallel rounds in parallel rounds",
        {
            "outer": each([0, 1, 2, 3], item_variable="row", parallel_processing=True, batch_size=3),
            "inner": each([0, 1, 2], parallel_processing=True, batch_size=2),
            "work": show(v="{{ row * 3 + item }}"),
            "end": show(r="{{ nodes.outer.results[3].results | map('v') }}"),
        },
        TWO,
        {"outer": 1, "inner": 4, "work": 12, "end": 1},
        outputs={"work[2][1]": {"v": 7}, "end": {"r": [9, 10, 11]}},
    ),
    Case(
        "a controller in a loop over items begins afresh for each",
        {
            "each": each([2, 3]),
            "again": again(loop_type="while", while_condition="variables.n < item"),
            "step": add(n=1),
            "look": show(n="{{ variables.n }}", rounds="{{ nodes.again.iterations }}"),
            "end": show(n="{{ variables.n }}"),
        },
        """start > each; each > again loop; again > step loop; step > again back; again > look done
           look > each back; each > end done""",
        {"each": 1, "again": 2, "step": 5, "look": 2, "end": 1},
        outputs={"look[0]": {"n": 2, "rounds": 2}, "look[1]": {"n": 3, "rounds": 3}, "end": {"n": 0}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a loop over items in a controller leaves nothing and its results do",
        {
            "again": again(loop_type="count", count=2),
            "each": each([1, 2], accumulator={"operation": "sum", "path": "n"}),
            "step": add(n="{{ item }}"),
            "keep": append(sums="{{ nodes.each.accumulated }}"),
            "end": show(n="{{ variables.n }}", sums="{{ variables.sums }}"),
        },
        """start > again; again > each loop; each > step loop; step > each back; each > keep done
           keep > again back; again > end done""",
        {"again": 1, "each": 2, "step": 4, "keep": 2, "end": 1},
        outputs={"end": {"n": 0, "sums": [3, 3]}},
        more={"variables": {"n": 0, "sums": []}},
    ),
    Case(
        "a controller in a controller carries on through both",
        {
            "outer": again(loop_key="o", loop_type="count", count=3),
            "inner": again(loop_key="i", loop_type="count", count=2),
            "work": add(n=1),
            "end": show(n="{{ variables.n }}"),
        },
        TWO,
        {"outer": 1, "inner": 3, "work": 6, "end": 1},
        outputs={"work[1][0]": {"n": 3}, "work[2][1]": {"n": 6}, "end": {"n": 6}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a controller behind its body in a controller before its own",
        {
            "outer": again(loop_key="o", loop_type="count", count=2),
            "work": add(n=1),
            "inner": again(
                loop_key="i", loop_back_to="work", exit_conditions=[{"condition": "variables.n % 3 == 0"}]
            ),
            "end": show(n="{{ variables.n }}"),
        },
        "start > outer; outer > work loop; work > inner; inner > outer back; outer > end done",
        {"outer": 1, "inner": 2, "work": 6, "end": 1},
        outputs={"end": {"n": 6}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "loops side by side in a body",
        {
            "outer": each([1, 2], item_variable="row"),
            "split": split(),
            "left": each([1, 2]),
            "l": show(v="{{ row * item }}"),
            "right": each([10]),
            "r": show(v="{{ row * item }}"),
            "join": merge(),
            "end": show(
                l="{{ nodes.outer.results[1].branches.left.results | map('v') }}",
                r="{{ nodes.outer.results[1].branches.right.results | map('v') }}",
            ),
        },
        """start > outer; outer > split loop; split > left; split > right; left > l loop; l > left back
           right > r loop; r > right back; left > join done; right > join done; join > outer back
           outer > end done""",
        {"outer": 1, "split": 2, "left": 2, "l": 4, "right": 2, "r": 2, "join": 2, "end": 1},
        outputs={"end": {"l": [2, 4], "r": [20]}},
    ),
    Case(
        "an inner loop is left early in some rounds",
        {
            "outer": each([1, 3], item_variable="row"),
            "inner": each([1, 2]),
            "stop": leave("item == row"),
            "work": show(v="{{ item }}"),
            "end": show(n="{{ nodes.outer.results | map('exit_reason') }}"),
        },
        """start > outer; outer > inner loop; inner > stop loop; stop > work; work > inner back
           inner > outer back; outer > end done""",
        {"outer": 1, "inner": 2, "stop": 3, "work": 2, "end": 1},
        outputs={"end": {"n": ["enough", "completed"]}},
    ),
    Case(
        "an inner loop that did not run this round has no output of the last",
        {
            "outer": again(loop_key="o", loop_type="count", count=2),
            "inner": again(
                loop_key="i", loop_type="while", while_condition="loop.parent.index == 0 and variables.n < 1"
            ),
            "work": add(n=1),
            "look": show(n="{{ nodes.work.n | default('none') }}"),
            "end": show(p=1),
        },
        """start > outer; outer > inner loop; inner > work loop; work > inner back; inner > look done
           look > outer back; outer > end done""",
        {"outer": 1, "inner": 2, "work": 1, "look": 2, "end": 1},
        outputs={"look[0]": {"n": 1}, "look[1]": {"n": "none"}},
        more={"variables": {"n": 0}},
    ),
]
