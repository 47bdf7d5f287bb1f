"""Loops over items."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, each, put, show, when

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
        outputs={"work[0]": {"item": "a", "index": 0}, "work[2]": {"item": "c", "index": 2}},
    ),
    Case(
        "for each of nothing",
        {"each": each([]), "work": show(x=1), "end": show(n="{{ nodes.each.processed_count }}")},
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"n": 0}},
    ),
    Case(
        "for each of an empty object",
        {"each": each({}), "work": show(x=1), "end": show(r="{{ nodes.each.results }}")},
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"r": []}},
    ),
    Case(
        "no times",
        {"each": each(0), "work": show(x=1), "end": show(why="{{ nodes.each.exit_reason }}")},
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"why": "completed"}},
    ),
    Case(
        "three times",
        {"each": each(3), "work": show(i="{{ item }}"), "end": show(r="{{ nodes.each.results }}")},
        EACH,
        {"each": 1, "work": 3, "end": 1},
        outputs={"end": {"r": [{"i": 0}, {"i": 1}, {"i": 2}]}},
    ),
    Case(
        "for each field of an object",
        {
            "each": each({"a": 1, "b": [2]}),
            "work": show(x="{{ item.key }}={{ item.value }}"),
            "end": show(n=1),
        },
        EACH,
        {"each": 1, "work": 2, "end": 1},
        outputs={"work[0]": {"x": "a=1"}, "work[1]": {"x": "b=[2]"}},
    ),
    Case(
        "items are objects and lists and null",
        {"each": each([{"n": {"m": 1}}, [1, 2], None]), "work": show(v="{{ item }}"), "end": show(n=1)},
        EACH,
        {"each": 1, "work": 3, "end": 1},
        outputs={"work[0]": {"v": {"n": {"m": 1}}}, "work[1]": {"v": [1, 2]}, "work[2]": {"v": None}},
    ),
    Case(
        "items out of trigger data",
        {
            "each": each("{{ trigger.rows }}", item_variable="row"),
            "work": show(v="{{ row.n * 2 }}"),
            "end": show(r="{{ nodes.each.results[1].v }}"),
        },
        EACH,
        {"each": 1, "work": 2, "end": 1},
        outputs={"end": {"r": 8}},
        data={"rows": [{"n": 1}, {"n": 4}]},
    ),
    Case(
        "what a round knows of its loop",
        {
            "each": each(["a", "b", "c"]),
            "work": show(
                i="{{ loop.index }}",
                n="{{ loop.number }}",
                of="{{ loop.count }}",
                first="{{ loop.first }}",
                last="{{ loop.last }}",
                item="{{ loop.item }}",
            ),
            "end": show(n=1),
        },
        EACH,
        {"each": 1, "work": 3, "end": 1},
        outputs={
            "work[0]": {"i": 0, "n": 1, "of": 3, "first": True, "last": False, "item": "a"},
            "work[1]": {"i": 1, "n": 2, "of": 3, "first": False, "last": False, "item": "b"},
            "work[2]": {"i": 2, "n": 3, "of": 3, "first": False, "last": True, "item": "c"},
        },
    ),
    Case(
        "no more rounds than allowed",
        {
            "each": each([1, 2, 3, 4, 5], max_iterations=2),
            "work": show(i="{{ item }}", last="{{ loop.last }}"),
            "end": show(
                done="{{ nodes.each.processed_count }}",
                left="{{ nodes.each.remaining_count }}",
                why="{{ nodes.each.exit_reason }}",
            ),
        },
        EACH,
        {"each": 1, "work": 2, "end": 1},
        outputs={
            "work[1]": {"i": 2, "last": True},
            "end": {"done": 2, "left": 3, "why": "max_iterations"},
        },
    ),
    Case(
        "as many rounds as allowed",
        {
            "each": each([1, 2], max_iterations=2),
            "work": show(i=1),
            "end": show(why="{{ nodes.each.exit_reason }}"),
        },
        EACH,
        {"each": 1, "work": 2, "end": 1},
        outputs={"end": {"why": "completed"}},
    ),
    Case(
        "parallel rounds keep the order of the items",
        {
            "each": each(list(range(7)), parallel_processing=True, batch_size=3),
            "work": show(v="{{ item * item }}"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        EACH,
        {"each": 1, "work": 7, "end": 1},
        outputs={"end": {"r": [0, 1, 4, 9, 16, 25, 36]}},
    ),
    Case(
        "parallel rounds one at a time",
        {
            "each": each([1, 2, 3], parallel_processing=True, batch_size=2, max_concurrency=1),
            "work": show(v="{{ item }}"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        EACH,
        {"each": 1, "work": 3, "end": 1},
        outputs={"end": {"r": [1, 2, 3]}},
    ),
    Case(
        "parallel rounds in batches of one",
        {
            "each": each([1, 2], parallel_processing=True, batch_size=1),
            "work": show(v="{{ loop.index }}"),
            "end": show(p=1),
        },
        EACH,
        {"each": 1, "work": 2, "end": 1},
        outputs={"work[1]": {"v": 1}},
    ),
    Case(
        "parallel rounds of nothing",
        {
            "each": each([], parallel_processing=True),
            "work": show(v=1),
            "end": show(r="{{ nodes.each.results }}"),
        },
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"r": []}},
    ),
    Case(
        "parallel rounds know nothing of each other",
        {
            "each": each([1, 2, 3], parallel_processing=True),
            "work": add(n="{{ item }}"),
            "look": show(n="{{ variables.n }}"),
            "end": show(n="{{ variables.n }}"),
        },
        "start > each; each > work loop; work > look; look > each back; each > end done",
        {"each": 1, "work": 3, "look": 3, "end": 1},
        outputs={"look[0]": {"n": 1}, "look[1]": {"n": 2}, "look[2]": {"n": 3}, "end": {"n": 0}},
        more={"variables": {"n": 0}},
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
        "one loop goes through what another gave",
        {
            "each": each([1, 2]),
            "work": show(v="{{ item * 10 }}"),
            "second": each("{{ nodes.each.results }}", item_variable="got"),
            "use": show(v="{{ got.v + 1 }}"),
            "end": show(r="{{ nodes.second.results | map('v') }}"),
        },
        """start > each; each > work loop; work > each back; each > second done
           second > use loop; use > second back; second > end done""",
        {"each": 1, "work": 2, "second": 1, "use": 2, "end": 1},
        outputs={"end": {"r": [11, 21]}},
    ),
    Case(
        "two loops side by side",
        {
            "left": each([1, 2]),
            "l": show(v="{{ item }}"),
            "right": each(["x"]),
            "r": show(v="{{ item }}"),
            "end": show(l="{{ nodes.left.processed_count }}", r="{{ nodes.right.processed_count }}"),
        },
        """start > left; left > l loop; l > left back; left > end done
           start > right; right > r loop; r > right back; right > end done""",
        {"left": 1, "l": 2, "right": 1, "r": 1, "end": 1},
        outputs={"end": {"l": 2, "r": 1}},
    ),
    Case(
        "a loop in the branch that is taken",
        {
            "decide": when(("trigger.n > 0", "yes"), otherwise="no"),
            "each": each([1, 2]),
            "work": show(v="{{ item }}"),
            "no": show(p=1),
            "end": show(n="{{ nodes.each.processed_count | default(0) }}"),
        },
        """start > decide; decide > each : yes; decide > no : no; each > work loop; work > each back
           each > end done; no > end""",
        {"decide": 1, "each": 1, "work": 2, "end": 1},
        outputs={"end": {"n": 2}},
        data={"n": 1},
    ),
    Case(
        "a loop in the branch that is not taken",
        {
            "decide": when(("trigger.n > 0", "yes"), otherwise="no"),
            "each": each([1, 2]),
            "work": show(v="{{ item }}"),
            "no": show(p=1),
            "end": show(n="{{ nodes.each.processed_count | default(0) }}"),
        },
        """start > decide; decide > each : yes; decide > no : no; each > work loop; work > each back
           each > end done; no > end""",
        {"decide": 1, "no": 1, "end": 1},
        outputs={"end": {"n": 0}},
        data={"n": 0},
    ),
    Case(
        "a loop at the end of the workflow",
        {"items": put(rows=[1, 2]), "each": each("{{ variables.rows }}"), "work": show(v="{{ item }}")},
        "start > items; items > each; each > work loop",
        {"items": 1, "each": 1, "work": 2},
    ),
    Case(
        "a loop without a body gives its items",
        {"each": each([1, 2]), "end": show(r="{{ nodes.each.results }}")},
        "start > each; each > end",
        {"each": 1, "end": 1},
        outputs={"end": {"r": [1, 2]}},
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
