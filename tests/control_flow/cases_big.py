"""Large workflows, and loops of many rounds."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, append, each, merge, show, split, when

EACH = "start > each; each > work loop; work > each back; each > end done"
CHAIN = [f"n{index}" for index in range(60)]
FAN = [f"n{index}" for index in range(40)]
LADDER = range(15)
ROW = range(10)


def _ladder() -> tuple[dict[str, dict[str, object]], str]:
    """Diamonds one after the other, each with a count on either side."""
    nodes: dict[str, dict[str, object]] = {}
    edges, before = [], "start"
    for step in LADDER:
        nodes |= {f"s{step}": split(), f"l{step}": add(n=1), f"r{step}": add(n=1), f"j{step}": merge()}
        edges += [f"{before} > s{step}", f"s{step} > l{step}", f"s{step} > r{step}"]
        edges += [f"l{step} > j{step}", f"r{step} > j{step}"]
        before = f"j{step}"
    nodes["end"] = show(n="{{ variables.n }}")
    return nodes, "; ".join([*edges, f"{before} > end"])


LADDER_NODES, LADDER_EDGES = _ladder()

CASES = [
    Case(
        "a chain of sixty",
        {name: add(n=1) for name in CHAIN},
        "; ".join(f"{source} > {target}" for source, target in zip(["start", *CHAIN], CHAIN, strict=False)),
        dict.fromkeys(CHAIN, 1),
        outputs={"n59": {"n": 60}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "sixty nodes in the listed order",
        {name: add(n=1) for name in CHAIN},
        None,
        dict.fromkeys(CHAIN, 1),
        outputs={"n59": {"n": 60}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "forty branches side by side",
        {**{name: add(n=1) for name in FAN}, "join": show(n="{{ variables.n }}")},
        "; ".join(f"start > {name}; {name} > join" for name in FAN),
        {**dict.fromkeys(FAN, 1), "join": 1},
        outputs={"join": {"n": 40}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "forty branches of which three are taken",
        {
            "decide": when(
                *((f"trigger.n % {index + 2} == 0", name) for index, name in enumerate(FAN)), every=True
            ),
            **{name: append(took=name) for name in FAN},
            "join": show(took="{{ variables.took }}"),
        },
        "start > decide; " + "; ".join(f"decide > {name} : {name}; {name} > join" for name in FAN),
        {"decide": 1, "n3": 1, "n5": 1, "n33": 1, "join": 1},
        outputs={"join": {"took": ["n3", "n5", "n33"]}},
        data={"n": 35},
        more={"variables": {"took": []}},
    ),
    Case(
        "fifteen diamonds in a row",
        LADDER_NODES,
        LADDER_EDGES,
        dict.fromkeys(LADDER_NODES, 1),
        outputs={"end": {"n": 30}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "ten conditions one behind the other",
        {
            **{f"c{i}": when((f"trigger.n > {i}", "on"), otherwise="off") for i in ROW},
            **{f"off{i}": show(at=i) for i in ROW},
            "all": show(at=10),
            "join": merge(),
        },
        "start > c0; "
        + "; ".join(f"c{i} > off{i} : off; off{i} > join" for i in ROW)
        + "; "
        + "; ".join(f"c{i} > c{i + 1} : on" for i in range(9))
        + "; c9 > all : on; all > join",
        {**{f"c{i}": 1 for i in range(7)}, "off6": 1, "join": 1},
        outputs={"join": {"branches": {"off6": {"at": 6}}}},
        data={"n": 6},
    ),
    Case(
        "a thousand items",
        {
            "each": each(1000, accumulator={"operation": "sum", "path": "v"}),
            "work": show(v="{{ item }}"),
            "end": show(sum="{{ nodes.each.accumulated }}", n="{{ nodes.each.success_count }}"),
        },
        EACH,
        {"each": 1, "work": 1000, "end": 1},
        outputs={"work[999]": {"v": 999}, "end": {"sum": 499500, "n": 1000}},
    ),
    Case(
        "a thousand items in parallel batches",
        {
            "each": each(
                1000,
                parallel_processing=True,
                batch_size=100,
                accumulator={"operation": "append", "path": "v"},
            ),
            "work": show(v="{{ item }}"),
            "end": show(
                same="{{ nodes.each.accumulated == range(1000) | list }}", n="{{ nodes.each.success_count }}"
            ),
        },
        EACH,
        {"each": 1, "work": 1000, "end": 1},
        outputs={"end": {"same": True, "n": 1000}},
    ),
    Case(
        "two hundred rounds of a controller",
        {
            "again": again(loop_type="count", count=200, max_iterations=200),
            "step": add(n="{{ loop.number }}"),
            "end": show(n="{{ variables.n }}"),
        },
        "start > again; again > step loop; step > again back; again > end done",
        {"again": 1, "step": 200, "end": 1},
        outputs={"end": {"n": 20100}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "ten times ten times ten",
        {
            "a": each(10, item_variable="x", accumulator={"operation": "sum", "path": "accumulated"}),
            "b": each(10, item_variable="y", accumulator={"operation": "sum", "path": "accumulated"}),
            "c": each(10, item_variable="z", accumulator={"operation": "sum", "path": "v"}),
            "work": show(v="{{ x * 100 + y * 10 + z }}"),
            "end": show(sum="{{ nodes.a.accumulated }}"),
        },
        """start > a; a > b loop; b > c loop; c > work loop; work > c back; c > b back; b > a back
           a > end done""",
        {"a": 1, "b": 10, "c": 100, "work": 1000, "end": 1},
        outputs={"work[9][9][9]": {"v": 999}, "end": {"sum": 499500}},
    ),
]
