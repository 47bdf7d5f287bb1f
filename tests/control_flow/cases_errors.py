"""Failures: where the workflow fails, where it goes on, and who hears of it."""

from __future__ import annotations

from tests.control_flow.writing import Case, add, fail, gather, merge, put, show, split, when

WENT_ON = fail(on_error="continue")
HANDLED = "start > bad; bad > fine; bad > handle : error"
JOINED = HANDLED + "; fine > join; handle > join"

CASES = [
    Case(
        "a failure ends the workflow",
        {"a": show(p=1), "bad": fail("here"), "after": show(p=2)},
        "start > a; a > bad; bad > after",
        {"a": 1},
        status="failed",
        error="nothing_called_here",
    ),
    Case(
        "a failure leaves other branches alone",
        {"bad": fail(), "after": show(p=1), "b": show(p=2), "b2": show(p=3)},
        "start > bad; bad > after; start > b; b > b2",
        {"b": 1, "b2": 1},
        status="failed",
    ),
    Case(
        "go on after an error",
        {"bad": WENT_ON, "after": show(who="{{ nodes.bad.error.node }}", kind="{{ nodes.bad.error.type }}")},
        "start > bad; bad > after",
        {"bad": 1, "after": 1},
        outputs={"after": {"who": "bad", "kind": "ConfigError"}},
    ),
    Case(
        "a workflow that goes on after every error",
        {"bad": fail("one"), "worse": fail("two"), "after": show(p=1)},
        "start > bad; bad > worse; worse > after",
        {"bad": 1, "worse": 1, "after": 1},
        more={"error_handling": {"on_error": "continue"}},
    ),
    Case(
        "a node's own word on errors counts before the workflow's",
        {"bad": fail("one"), "worse": fail("two", on_error="fail"), "after": show(p=1)},
        "start > bad; bad > worse; worse > after",
        {"bad": 1},
        status="failed",
        error="nothing_called_two",
        more={"error_handling": {"on_error": "continue"}},
    ),
    Case(
        "an error edge is taken instead of the way on",
        {"bad": fail(), "fine": show(p=1), "handle": show(p=2)},
        HANDLED,
        {"bad": 1, "handle": 1},
    ),
    Case(
        "an error edge of a node that succeeds is not taken",
        {"bad": show(p=0), "fine": show(p=1), "handle": show(p=2)},
        HANDLED,
        {"bad": 1, "fine": 1},
    ),
    Case(
        "an error edge counts before going on",
        {"bad": WENT_ON, "fine": show(p=1), "handle": show(p=2)},
        HANDLED,
        {"bad": 1, "handle": 1},
    ),
    Case(
        "the handler reads the error",
        {
            "bad": fail("here"),
            "handle": show(
                known="{{ 'nothing_called_here' in nodes.bad.error.message }}",
                same="{{ error.message == nodes.bad.error.message }}",
                node="{{ error.node }}",
            ),
        },
        "start > bad; bad > handle : error",
        {"bad": 1, "handle": 1},
        outputs={"handle": {"known": True, "same": True, "node": "bad"}},
    ),
    Case(
        "the handler joins the main path",
        {
            "bad": fail(),
            "fine": show(p="fine"),
            "handle": show(p="handled"),
            "join": gather("fine", "handle"),
        },
        JOINED,
        {"bad": 1, "handle": 1, "join": 1},
        outputs={"join": {"p": "handled"}},
    ),
    Case(
        "the main path passes the handler by",
        {
            "bad": show(p=0),
            "fine": show(p="fine"),
            "handle": show(p="handled"),
            "join": gather("fine", "handle"),
        },
        JOINED,
        {"bad": 1, "fine": 1, "join": 1},
        outputs={"join": {"p": "fine"}},
    ),
    Case(
        "the way on and the error lead to the same node",
        {"bad": fail(), "after": show(failed="{{ nodes.bad.error is defined }}")},
        "start > bad; bad > after; bad > after : error",
        {"bad": 1, "after": 1},
        outputs={"after": {"failed": True}},
    ),
    Case(
        "a handler that fails itself",
        {"bad": fail("first"), "fine": show(p=1), "handle": fail("second"), "join": show(p=2)},
        JOINED,
        {"bad": 1},
        status="failed",
        error="nothing_called_second",
    ),
    Case(
        "a handler of a handler",
        {"bad": fail("first"), "handle": fail("second"), "last": show(node="{{ error.node }}")},
        "start > bad; bad > handle : error; handle > last : error",
        {"bad": 1, "handle": 1, "last": 1},
        outputs={"last": {"node": "handle"}},
    ),
    Case(
        "two handlers of one error",
        {"bad": fail(), "one": show(p=1), "two": show(p=2)},
        "start > bad; bad > one : error; bad > two : error",
        {"bad": 1, "one": 1, "two": 1},
    ),
    Case(
        "one handler for two nodes where the first fails",
        {"a": fail("a"), "b": show(p=1), "handle": show(who="{{ error.node }}")},
        "start > a; a > b; a > handle : error; b > handle : error",
        {"a": 1, "handle": 1},
        outputs={"handle": {"who": "a"}},
    ),
    Case(
        "one handler for two nodes where the second fails",
        {"a": show(p=1), "b": fail("b"), "handle": show(who="{{ error.node }}")},
        "start > a; a > b; a > handle : error; b > handle : error",
        {"a": 1, "b": 1, "handle": 1},
        outputs={"handle": {"who": "b"}},
    ),
    Case(
        "one handler for two nodes where none fails",
        {"a": show(p=1), "b": show(p=2), "handle": show(p=3)},
        "start > a; a > b; a > handle : error; b > handle : error",
        {"a": 1, "b": 1},
    ),
    Case(
        "a condition with an error edge",
        {
            "decide": {
                **when(("no_such_name > 1", "yes"), otherwise="no"),
                "error_handling": {"retry_count": 0},
            },
            "yes": show(p=1),
            "no": show(p=2),
            "handle": show(node="{{ error.node }}"),
        },
        "start > decide; decide > yes : yes; decide > no : no; decide > handle : error",
        {"decide": 1, "handle": 1},
        outputs={"handle": {"node": "decide"}},
    ),
    Case(
        "a condition that fails and goes on takes no branch",
        {
            "decide": {
                **when(("no_such_name > 1", "yes"), otherwise="no"),
                "error_handling": {"on_error": "continue"},
            },
            "yes": show(p=1),
            "no": show(p=2),
            "always": show(p=3),
        },
        "start > decide; decide > yes : yes; decide > no : no; decide > always",
        {"decide": 1, "always": 1},
    ),
    Case(
        "a failure in a branch is handled in it",
        {
            "decide": when(("trigger.n > 0", "yes"), otherwise="no"),
            "yes": fail(),
            "handle": show(p="handled"),
            "no": show(p="no"),
            "join": gather("handle", "no"),
        },
        "start > decide; decide > yes : yes; decide > no : no; yes > handle : error; handle > join; no > join",
        {"decide": 1, "yes": 1, "handle": 1, "join": 1},
        outputs={"join": {"p": "handled"}},
        data={"n": 1},
    ),
    Case(
        "a merge of a branch that failed and went on",
        {
            "split": split(),
            "a": WENT_ON,
            "b": show(p=1),
            "join": merge(),
            "look": show(n="{{ nodes.join.branches.a.error.node }}"),
        },
        "start > split; split > a; split > b; a > join; b > join; join > look",
        {"split": 1, "a": 1, "b": 1, "join": 1, "look": 1},
        outputs={"look": {"n": "a"}},
    ),
    Case(
        "a handled error does not hide a later one",
        {"bad": fail("first"), "handle": show(p=1), "worse": fail("second")},
        "start > bad; bad > handle : error; handle > worse",
        {"bad": 1, "handle": 1},
        status="failed",
        error="nothing_called_second",
    ),
    Case(
        "variables of the handler reach the main path",
        {
            "before": put(n=1),
            "bad": fail(),
            "fine": add(n=10),
            "handle": add(n=100),
            "join": show(n="{{ variables.n }}"),
        },
        "start > before; before > bad; bad > fine; bad > handle : error; fine > join; handle > join",
        {"before": 1, "bad": 1, "handle": 1, "join": 1},
        outputs={"join": {"n": 101}},
        more={"variables": {"n": 0}},
    ),
    Case(
        "a merge that fails",
        {"a": show(p=1), "b": show(p=2), "join": fail("join"), "handle": show(p=3)},
        "start > a; start > b; a > join; b > join; join > handle : error",
        {"a": 1, "b": 1, "join": 1, "handle": 1},
    ),
    Case(
        "an error where another branch reaches the same node",
        {"bad": fail(), "b": show(p=1), "join": show(p=2)},
        "start > bad; start > b; bad > join; b > join",
        {"b": 1},
        status="failed",
    ),
]
