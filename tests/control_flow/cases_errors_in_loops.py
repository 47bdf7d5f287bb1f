"""Failures in loops and of loops."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, each, fail, gather, leave, show, when

EACH = "start > each; each > work loop; work > each back; each > end done"
ODD = when(("item == 2", "bad"), otherwise="good")
SOME_FAIL = """start > each; each > odd loop; odd > bad : bad; odd > good : good
               bad > each back; good > each back; each > end done"""
WENT_ON = fail(on_error="continue")

CASES = [
    Case(
        "a failed round fails the loop",
        {"each": each([1, 2]), "work": fail("here"), "end": show(n=1)},
        EACH,
        {},
        status="failed",
        error="round 0, node 'work'",
    ),
    Case(
        "rounds after the failed one do not run",
        {"each": each([1, 2, 3]), "odd": ODD, "bad": fail(), "good": show(i="{{ item }}"), "end": show(n=1)},
        SOME_FAIL,
        {"odd": 2, "good": 1},
        status="failed",
        error="round 1, node 'bad'",
    ),
    Case(
        "failed rounds are gathered where the loop goes on",
        {
            "each": each([1, 2, 3], continue_on_error=True),
            "odd": ODD,
            "bad": fail("here"),
            "good": show(item="{{ item }}"),
            "end": show(
                bad="{{ nodes.each.errors[0].index }}",
                item="{{ nodes.each.errors[0].item }}",
                node="{{ nodes.each.errors[0].error.node }}",
                good="{{ nodes.each.success_count }}",
                failed="{{ nodes.each.failed_count }}",
                all="{{ nodes.each.processed_count }}",
                results="{{ nodes.each.results }}",
            ),
        },
        SOME_FAIL,
        {"each": 1, "odd": 3, "good": 2, "end": 1},
        outputs={
            "end": {
                "bad": 1,
                "item": 2,
                "node": "bad",
                "good": 2,
                "failed": 1,
                "all": 3,
                "results": [{"item": 1}, None, {"item": 3}],
            }
        },
    ),
    Case(
        "parallel rounds fail with the first of the list",
        {"each": each([1, 2, 3], parallel_processing=True), "work": fail("here"), "end": show(n=1)},
        EACH,
        {},
        status="failed",
        error="round 0, node 'work'",
    ),
    Case(
        "parallel rounds that failed are gathered in their order",
        {
            "each": each([2, 1, 2, 2], parallel_processing=True, batch_size=3, continue_on_error=True),
            "odd": ODD,
            "bad": fail(),
            "good": show(i="{{ item }}"),
            "end": show(failed="{{ nodes.each.errors | map('index') }}", results="{{ nodes.each.results }}"),
        },
        SOME_FAIL,
        {"each": 1, "odd": 4, "good": 1, "end": 1},
        outputs={"end": {"failed": [0, 2, 3], "results": [None, {"i": 1}, None, None]}},
    ),
    Case(
        "every round fails and the loop goes on",
        {
            "each": each([1, 2], continue_on_error=True),
            "work": fail(),
            "end": show(n="{{ nodes.each.success_count }}"),
        },
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"n": 0}},
    ),
    Case(
        "failed rounds are not accumulated",
        {
            "each": each([1, 2, 3], continue_on_error=True, accumulator={"operation": "append", "path": "i"}),
            "odd": ODD,
            "bad": fail(),
            "good": show(i="{{ item }}"),
            "end": show(a="{{ nodes.each.accumulated }}"),
        },
        SOME_FAIL,
        {"each": 1, "odd": 3, "good": 2, "end": 1},
        outputs={"end": {"a": [1, 3]}},
    ),
    Case(
        "a node in a round fails and the round goes on",
        {
            "each": each([1, 2]),
            "work": WENT_ON,
            "after": show(who="{{ nodes.work.error.node }}"),
            "end": show(n=1),
        },
        "start > each; each > work loop; work > after; after > each back; each > end done",
        {"each": 1, "work": 2, "after": 2, "end": 1},
        outputs={"after[1]": {"who": "work"}},
    ),
    Case(
        "an error handled in the round",
        {
            "each": each([1, 2, 3]),
            "odd": ODD,
            "bad": fail(),
            "handle": show(i="{{ item }}", who="{{ error.node }}"),
            "good": show(i="{{ item }}"),
            "end": show(r="{{ nodes.each.results }}"),
        },
        """start > each; each > odd loop; odd > bad : bad; odd > good : good; bad > handle : error
           handle > each back; good > each back; each > end done""",
        {"each": 1, "odd": 3, "bad": 1, "handle": 1, "good": 2, "end": 1},
        outputs={"end": {"r": [{"i": 1}, {"i": 2, "who": "bad"}, {"i": 3}]}},
    ),
    Case(
        "the handler in a round joins its main path",
        {
            "each": each([1, 2]),
            "bad": fail(),
            "fine": show(p="fine"),
            "handle": show(p="handled"),
            "join": gather("fine", "handle"),
            "end": show(r="{{ nodes.each.results }}"),
        },
        """start > each; each > bad loop; bad > fine; bad > handle : error; fine > join; handle > join
           join > each back; each > end done""",
        {"each": 1, "bad": 2, "handle": 2, "join": 2, "end": 1},
        outputs={"end": {"r": [{"p": "handled"}, {"p": "handled"}]}},
    ),
    Case(
        "a handler in a round fails itself",
        {"each": each([1, 2]), "bad": fail("first"), "handle": fail("second"), "end": show(n=1)},
        "start > each; each > bad loop; bad > handle : error; handle > each back; each > end done",
        {"bad": 1},
        status="failed",
        error="round 0, node 'handle'",
    ),
    Case(
        "an error edge of a loop over items",
        {
            "each": each([1, 2]),
            "work": fail(),
            "end": show(p=1),
            "handle": show(node="{{ error.node }}", loop="{{ error.loop }}"),
        },
        EACH + "; each > handle : error",
        {"each": 1, "handle": 1},
        outputs={"handle": {"node": "work", "loop": "each"}},
    ),
    Case(
        "a loop over items that fails and goes on",
        {
            "each": each([1, 2]) | {"error_handling": {"on_error": "continue"}},
            "work": fail(),
            "end": show(node="{{ nodes.each.error.node }}", loop="{{ nodes.each.error.loop }}"),
        },
        EACH,
        {"each": 1, "end": 1},
        outputs={"end": {"node": "work", "loop": "each"}},
    ),
    Case(
        "an error edge of a controller",
        {
            "again": again(loop_type="count", count=3),
            "work": fail(),
            "end": show(p=1),
            "handle": show(node="{{ error.node }}", loop="{{ error.loop }}"),
        },
        """start > again; again > work loop; work > again back; again > end done
           again > handle : error""",
        {"again": 1, "handle": 1},
        outputs={"handle": {"node": "work", "loop": "again"}},
    ),
    Case(
        "what a loop cannot go through",
        {"each": each("{{ trigger.n }}"), "work": show(p=1), "end": show(p=2)},
        EACH,
        {},
        status="failed",
        error="items_source",
        data={"n": "a text"},
    ),
    Case(
        "a loop over what is not there can be handled",
        {"each": each("{{ trigger.none }}"), "work": show(p=1), "end": show(p=2), "handle": show(p=3)},
        EACH + "; each > handle : error",
        {"each": 1, "handle": 1},
    ),
    Case(
        "a failure two loops deep names the way to it",
        {
            "outer": each([1, 2]),
            "inner": each([1, 2]),
            "work": fail("deep"),
            "end": show(p=1),
        },
        "start > outer; outer > inner loop; inner > work loop; work > inner back; inner > outer back; outer > end done",
        {},
        status="failed",
        error="round 0, node 'inner': round 0, node 'work'",
    ),
    Case(
        "an inner loop fails and the outer goes on",
        {
            "outer": each([1, 2], item_variable="row", continue_on_error=True),
            "inner": each("{{ [row] }}"),
            "odd": ODD,
            "bad": fail(),
            "good": show(i="{{ item }}"),
            "end": show(n="{{ nodes.outer.errors | map('index') }}"),
        },
        """start > outer; outer > inner loop; inner > odd loop; odd > bad : bad; odd > good : good
           bad > inner back; good > inner back; inner > outer back; outer > end done""",
        {"outer": 1, "inner": 1, "odd": 2, "good": 1, "end": 1},
        outputs={"end": {"n": [1]}},
    ),
    Case(
        "an error before a breaker",
        {
            "each": each([1, 2, 3]),
            "work": WENT_ON,
            "stop": leave("nodes.work.error is defined", "failed"),
            "end": show(w="{{ nodes.each.exit_reason }}"),
        },
        "start > each; each > work loop; work > stop; stop > each back; each > end done",
        {"each": 1, "work": 1, "stop": 1, "end": 1},
        outputs={"end": {"w": "failed"}},
    ),
    Case(
        "an error edge back to the loop goes on with the next item",
        {
            "each": each([1, 2]),
            "work": fail(),
            "after": show(p=1),
            "end": show(n="{{ nodes.each.success_count }}"),
        },
        """start > each; each > work loop; work > after; after > each back; work > each back : error
           each > end done""",
        {"each": 1, "work": 2, "end": 1},
        outputs={"end": {"n": 2}},
    ),
    Case(
        "an error edge back to a controller begins the next round",
        {
            "again": again(loop_type="count", count=3),
            "step": add(n=1),
            "work": fail(),
            "end": show(n="{{ variables.n }}"),
        },
        """start > again; again > step loop; step > work; work > again back; work > again back : error
           again > end done""",
        {"again": 1, "step": 3, "work": 3, "end": 1},
        outputs={"end": {"n": 3}},
        more={"variables": {"n": 0}},
    ),
]
