"""Failures: who handles them, and what handlers see."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, again, each, fail, put, show

SEEN = show(type="{{ error.type }}", node="{{ error.node }}", attempt="{{ error.attempt }}")
EACH = "start > each; each > work loop; work > each back"

CASES = [
    Case(
        "a handler and what follows it know the failure",
        {
            "call": fail("here"),
            "handler": SEEN,
            "after": show(says="{{ error.message }}", hint="{{ error.hint }}"),
        },
        "start > call; call > handler : error; handler > after",
        {"call": 1, "handler": 1, "after": 1},
        outputs={"handler": {"type": "ConfigError", "node": "call", "attempt": 1}},
    ),
    Case(
        "a fallback node handles the failure",
        {"call": fail("here", on_error="route", fallback_node="handler"), "good": show(x=1), "handler": SEEN},
        "start > call; call > good",
        {"call": 1, "handler": 1},
        outputs={"handler": {"type": "ConfigError", "node": "call", "attempt": 1}},
    ),
    Case(
        "of two failures on one way the later is known",
        {
            "first": fail("one"),
            "second": fail("two"),
            "handler": show(node="{{ error.node }}"),
        },
        "start > first; first > second : error; second > handler : error",
        {"first": 1, "second": 1, "handler": 1},
        outputs={"handler": {"node": "second"}},
    ),
    Case(
        "two failures side by side are known each to its own handler",
        {
            "left": fail("one"),
            "right": fail("two"),
            "of_left": show(node="{{ error.node }}"),
            "of_right": show(node="{{ error.node }}"),
        },
        "start > left; start > right; left > of_left : error; right > of_right : error",
        {"left": 1, "right": 1, "of_left": 1, "of_right": 1},
        outputs={"of_left": {"node": "left"}, "of_right": {"node": "right"}},
    ),
    Case(
        "a failure that was passed over is known behind it",
        {"call": fail("here", on_error="continue"), "after": show(node="{{ error.node }}")},
        "start > call; call > after",
        {"call": 1, "after": 1},
        outputs={"after": {"node": "call"}},
    ),
    Case(
        "where nothing failed the name is unknown",
        {
            "call": show(x=1),
            "handler": show(x=1),
            "after": show(said="{{ error.message | default('fine') }}"),
        },
        "start > call; call > handler : error; call > after; handler > after",
        {"call": 1, "after": 1},
        outputs={"after": {"said": "fine"}},
    ),
    Case(
        "a handler fails too",
        {"call": fail("one"), "handler": fail("two"), "after": show(x=1)},
        "start > call; call > handler : error; handler > after",
        {"call": 1},
        status="failed",
        error="nothing_called_two",
    ),
    Case(
        "a handler inside a loop sees the failure of its round",
        {
            "each": each([1, 2]),
            "work": fail("here"),
            "handler": show(node="{{ error.node }}", item="{{ item }}"),
            "end": show(said="{{ error.message | default('fine') }}", done="{{ nodes.each.success_count }}"),
        },
        "start > each; each > work loop; work > handler : error; handler > each back; each > end done",
        {"each": 1, "work": 2, "handler": 2, "end": 1},
        outputs={
            "handler[0]": {"node": "work", "item": 1},
            "handler[1]": {"node": "work", "item": 2},
            "end": {"said": "fine", "done": 2},
        },
    ),
    Case(
        "a fallback node inside a loop",
        {
            "each": each([1, 2]),
            "work": fail("here", fallback_node="handler"),
            "handler": show(item="{{ item }}"),
        },
        EACH,
        {"each": 1, "work": 2, "handler": 2},
        outputs={"handler[1]": {"item": 2}},
    ),
    Case(
        "a failure outside is known inside the loop that handles it",
        {"call": fail("here"), "each": each([1]), "work": show(node="{{ error.node }}")},
        "start > call; call > each : error; each > work loop; work > each back",
        {"call": 1, "each": 1, "work": 1},
        outputs={"work[0]": {"node": "call"}},
    ),
    Case(
        "a loop that fails names the round and the node",
        {
            "each": each([1, 2]),
            "work": put(x="{{ 1 / (2 - item) }}"),
            "handler": show(
                loop="{{ error.loop }}",
                node="{{ error.node }}",
                round="{{ error.round }}",
                type="{{ error.type }}",
            ),
            "end": show(x=1),
        },
        EACH + "; each > handler : error; each > end done",
        {"each": 1, "work": 1, "handler": 1},
        outputs={"handler": {"loop": "each", "node": "work", "round": 1, "type": "ConfigError"}},
    ),
    Case(
        "a loop inside a loop that fails names where it began",
        {
            "outer": each([1, 2]),
            "inner": each([3, 4]),
            "work": fail("here"),
            "handler": show(loop="{{ error.loop }}", node="{{ error.node }}", says="{{ error.message }}"),
        },
        """start > outer; outer > inner loop; inner > work loop; work > inner back; inner > outer back
           outer > handler : error""",
        {"outer": 1, "handler": 1},
        outputs={
            "handler": {
                "loop": "inner",
                "node": "work",
                "says": "round 0, node 'inner': round 0, node 'work': "
                "config.variables.x: there is nothing named 'nothing_called_here'",
            }
        },
    ),
    Case(
        "a controller that fails names the round and the node",
        {
            "again": again(loop_type="count", count=3),
            "work": put(x="{{ 1 / (1 - loop.index) }}"),
            "handler": show(loop="{{ error.loop }}", node="{{ error.node }}", round="{{ error.round }}"),
        },
        "start > again; again > work loop; work > again back; again > handler : error",
        {"again": 1, "work": 1, "handler": 1},
        outputs={"handler": {"loop": "again", "node": "work", "round": 1}},
    ),
    Case(
        "a controller has a fallback node",
        {
            "again": {**again(loop_type="count", count=2), "error_handling": {"fallback_node": "handler"}},
            "work": fail("here"),
            "handler": show(node="{{ error.node }}"),
        },
        "start > again; again > work loop; work > again back",
        {"again": 1, "handler": 1},
        outputs={"handler": {"node": "work"}},
    ),
    Case(
        "a controller carries a failure on to what follows it",
        {
            "again": again(loop_type="count", count=2),
            "work": fail("here", on_error="continue"),
            "step": add(n=1),
            "end": show(node="{{ error.node }}", n="{{ variables.n }}"),
        },
        "start > again; again > work loop; work > step; step > again back; again > end done",
        {"again": 1, "work": 2, "step": 2, "end": 1},
        outputs={"end": {"node": "work", "n": 2}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a failure led back to its loop begins the next round",
        {"each": each([1, 2]), "work": fail("here"), "end": show(done="{{ nodes.each.success_count }}")},
        "start > each; each > work loop; work > each back : error; each > end done",
        {"each": 1, "work": 2, "end": 1},
        outputs={"end": {"done": 2}},
    ),
    Case(
        "a failure led back to a controller behind its body ends the round",
        {
            "work": put(n="{{ variables.n + 1 }}", x="{{ 1 / (variables.n - 1) }}"),
            "never": add(n=10),
            "step": add(n=1),
            "again": again(loop_back_to="step", loop_type="count", count=3),
            "end": show(n="{{ variables.n }}", said="{{ error.node }}"),
        },
        "start > step; step > work; work > never; never > again; work > again : error; again > end",
        {"step": 3, "work": 3, "never": 2, "again": 1, "end": 1},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a loop passes its own failure over",
        {
            "each": {**each([1]), "error_handling": {"on_error": "continue"}},
            "work": fail("here"),
            "end": show(node="{{ error.node }}", round="{{ nodes.each.error.round }}"),
        },
        EACH + "; each > end done",
        {"each": 1, "end": 1},
        outputs={"end": {"node": "work", "round": 0}},
    ),
]
