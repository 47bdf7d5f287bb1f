"""What can stand in a loop's body."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, each, gather, merge, show, split, when

EVEN = when(("item % 2 == 0", "even"), otherwise="odd")

CASES = [
    Case(
        "a body of several nodes",
        {
            "each": each([1, 2]),
            "a": show(v="{{ item }}"),
            "b": show(v="{{ nodes.a.v + 1 }}"),
            "c": show(v="{{ nodes.b.v + nodes.a.v }}"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        "start > each; each > a loop; a > b; b > c; c > each back; each > end done",
        {"each": 1, "a": 2, "b": 2, "c": 2, "end": 1},
        outputs={"end": {"r": [3, 5]}},
    ),
    Case(
        "a branch in a body",
        {
            "each": each([1, 2, 3]),
            "decide": EVEN,
            "even": show(v="even"),
            "odd": show(v="odd"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        """start > each; each > decide loop; decide > even : even; decide > odd : odd
           even > each back; odd > each back; each > end done""",
        {"each": 1, "decide": 3, "even": 1, "odd": 2, "end": 1},
        outputs={"end": {"r": ["odd", "even", "odd"]}},
    ),
    Case(
        "a merge in a body",
        {
            "each": each([1, 2]),
            "decide": EVEN,
            "even": show(v="even"),
            "odd": show(v="odd"),
            "join": show(v="{{ nodes.even.v | default(nodes.odd.v) }}!"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        """start > each; each > decide loop; decide > even : even; decide > odd : odd; even > join; odd > join
           join > each back; each > end done""",
        {"each": 1, "decide": 2, "even": 1, "odd": 1, "join": 2, "end": 1},
        outputs={"end": {"r": ["odd!", "even!"]}},
    ),
    Case(
        "a branch in a body leads straight back",
        {
            "each": each([1, 2, 3, 4]),
            "decide": EVEN,
            "even": show(v="{{ item }}"),
            "end": show(n="{{ nodes.each.processed_count }}"),
        },
        """start > each; each > decide loop; decide > even : even; decide > each back : odd; even > each back
           each > end done""",
        {"each": 1, "decide": 4, "even": 2, "end": 1},
        outputs={"even[1]": {"v": 2}, "even[3]": {"v": 4}, "end": {"n": 4}},
    ),
    Case(
        "a dead end in a body",
        {
            "each": each([1, 2]),
            "decide": EVEN,
            "even": show(v="even"),
            "odd": show(v="odd"),
            "more": show(v="more"),
            "end": show(r="{{ nodes.each.results | map('v') }}"),
        },
        """start > each; each > decide loop; decide > even : even; decide > odd : odd; odd > more
           even > each back; each > end done""",
        {"each": 1, "decide": 2, "even": 1, "odd": 1, "more": 1, "end": 1},
        outputs={"end": {"r": ["more", "even"]}},
    ),
    Case(
        "branches side by side in a body",
        {
            "each": each([1, 2]),
            "split": split(),
            "a": show(v="{{ item }}"),
            "b": show(v="{{ item * 10 }}"),
            "join": merge(),
            "end": show(r="{{ nodes.each.results }}"),
        },
        """start > each; each > split loop; split > a; split > b; a > join; b > join
           join > each back; each > end done""",
        {"each": 1, "split": 2, "a": 2, "b": 2, "join": 2, "end": 1},
        outputs={
            "end": {
                "r": [
                    {"branches": {"a": {"v": 1}, "b": {"v": 10}}},
                    {"branches": {"a": {"v": 2}, "b": {"v": 20}}},
                ]
            }
        },
    ),
    Case(
        "a body with two beginnings and two ends",
        {
            "each": each([1, 2]),
            "a": show(v="{{ item }}"),
            "b": show(v="{{ item * 10 }}"),
            "end": show(r="{{ nodes.each.results }}"),
        },
        "start > each; each > a loop; each > b loop; a > each back; b > each back; each > end done",
        {"each": 1, "a": 2, "b": 2, "end": 1},
        outputs={"end": {"r": [{"a": {"v": 1}, "b": {"v": 10}}, {"a": {"v": 2}, "b": {"v": 20}}]}},
    ),
    Case(
        "counts of branches in a body add up in their round",
        {
            "each": each([1, 2]),
            "split": split(),
            "a": add(n=1),
            "b": add(n="{{ item }}"),
            "join": show(n="{{ variables.n }}"),
            "end": show(n="{{ variables.n }}"),
        },
        """start > each; each > split loop; split > a; split > b; a > join; b > join
           join > each back; each > end done""",
        {"each": 1, "split": 2, "a": 2, "b": 2, "join": 2, "end": 1},
        outputs={"join[0]": {"n": 2}, "join[1]": {"n": 3}, "end": {"n": 0}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a node skipped in this round has no output of another",
        {
            "each": each([2, 1]),
            "decide": EVEN,
            "even": show(v="even"),
            "join": show(v="{{ nodes.even.v | default('none') }}"),
            "end": show(p=1),
        },
        """start > each; each > decide loop; decide > even : even; decide > join : odd; even > join
           join > each back; each > end done""",
        {"each": 1, "decide": 2, "even": 1, "join": 2, "end": 1},
        outputs={"join[0]": {"v": "even"}, "join[1]": {"v": "none"}},
    ),
    Case(
        "a body reads what stands before the loop",
        {
            "before": show(v=5),
            "each": each([1, 2]),
            "work": show(v="{{ nodes.before.v + item }}"),
            "end": gather("before"),
        },
        "start > before; before > each; each > work loop; work > each back; each > end done",
        {"before": 1, "each": 1, "work": 2, "end": 1},
        outputs={"work[1]": {"v": 7}, "end": {"v": 5}},
    ),
    Case(
        "an edge back that says nothing of it",
        {
            "each": each([1, 2]),
            "work": show(v="{{ item }}"),
            "end": show(n="{{ nodes.each.processed_count }}"),
        },
        "start > each; each > work loop; work > each; each > end",
        {"each": 1, "work": 2, "end": 1},
        outputs={"end": {"n": 2}},
    ),
    Case(
        "where no end is reached the last node of the body gives the output",
        {
            "each": each([1]),
            "first": show(p=0),
            "long": show(p=1),
            "late": when(("1 > 2", "never")),
            "soon": when(("1 > 3", "never")),
            "never": show(p=2),
            "end": show(last="{{ nodes.each.results[0].conditions[0].condition }}"),
        },
        """start > each; each > first loop; first > long; long > late; first > soon
           late > never : never; soon > never : never; never > each back; each > end done""",
        {"each": 1, "first": 1, "long": 1, "late": 1, "soon": 1, "end": 1},
        outputs={"end": {"last": "1 > 3"}},
    ),
]
