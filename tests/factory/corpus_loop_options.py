"""Mistakes in the options of loop nodes."""

from __future__ import annotations

from typing import Any

from tests.factory.corpus_loops import COUNT, A, counted, looped, stop
from tests.factory.documents import node
from tests.factory.mistake import Mistake


def _broken(name: str, path: str, /, *says: str, severity: str = "error", **options: Any) -> Mistake:
    return Mistake(
        f"breaker: {name}", looped(A, stop(**options)), f"$.nodes[3].config{path}", "stop", says, severity
    )


def _for_each(name: str, path: str, /, *says: str, **options: Any) -> Mistake:
    loop = node("each", "for_each", **{"items_source": [1], **options})
    return Mistake(f"for_each: {name}", looped(A, loop=loop), f"$.nodes[1].config{path}", "each", says)


def _controller(name: str, path: str, /, *says: str, **options: Any) -> Mistake:
    return Mistake(
        f"controller: {name}", counted(COUNT, **options), f"$.nodes[1].config{path}", "again", says
    )


def _exit(name: str, path: str, /, *says: str, **condition: Any) -> Mistake:
    return _controller(f"exit, {name}", f".exit_conditions[0]{path}", *says, exit_conditions=[condition])


def options() -> list[Mistake]:
    """Options of loop nodes that do not fit."""
    no_source = node("each", "for_each")
    return [
        Mistake(
            "for_each: no items",
            looped(A, loop=no_source),
            "$.nodes[1].config.items_source",
            "each",
            ("missing", "The items"),
        ),
        _for_each(
            "items under another name", ".items", "unknown option 'items'", "'items_source'", items=[1]
        ),
        _for_each("items as text", ".items_source", "valid list", "people", items_source="people"),
        _for_each("item_variable with a dot", ".item_variable", "match", "a.b", item_variable="a.b"),
        _for_each("item_variable begins with a digit", ".item_variable", "match", item_variable="1st"),
        _for_each("item_variable is empty", ".item_variable", "match", item_variable=""),
        _for_each("item_variable is a number", ".item_variable", "match", "5", item_variable=5),
        *(
            _for_each(
                f"item_variable is {name}",
                ".item_variable",
                f"{name!r} is a name of the expression language",
                "another name",
                item_variable=name,
            )
            for name in (
                "loop",
                "nodes",
                "trigger",
                "variables",
                "context",
                "secrets",
                "node_a",
                "if",
                "true",
            )
        ),
        _for_each("no rounds", ".max_iterations", "greater than or equal to 1", max_iterations=0),
        _for_each("too many rounds", ".max_iterations", "1000000", max_iterations=1_000_001),
        _for_each("rounds in words", ".max_iterations", "valid integer", "all", max_iterations="all"),
        _for_each("batch of 0", ".batch_size", "greater than or equal to 1", batch_size=0),
        _for_each("batch of 2000", ".batch_size", "1000", batch_size=2000),
        _for_each("parallel in words", ".parallel_processing", "boolean", parallel_processing="perhaps"),
        _for_each("concurrency of 0", ".max_concurrency", "greater than or equal to 1", max_concurrency=0),
        _for_each("continue in words", ".continue_on_error", "boolean", continue_on_error="perhaps"),
        _for_each(
            "unknown accumulation",
            ".accumulator.operation",
            "'append'",
            "add",
            accumulator={"operation": "add"},
        ),
        _for_each(
            "unknown option of the accumulator",
            ".accumulator.initial",
            "unknown option",
            "'initial_value'",
            accumulator={"initial": 0},
        ),
        _for_each("accumulator is text", ".accumulator", "an object", accumulator="append"),
        _for_each("misspelt option", ".item_varible", "unknown option", "'item_variable'", item_varible="x"),
        _controller("unknown kind", ".loop_type", "'conditional'", "until", loop_type="until"),
        _controller("no rounds", ".max_iterations", "greater than or equal to 1", max_iterations=0),
        _controller("count below 0", ".count", "greater than or equal to 0", loop_type="count", count=-1),
        _controller("while without a condition", "", "while_condition", loop_type="while"),
        _controller(
            "while that cannot be read",
            ".while_condition",
            "character",
            loop_type="while",
            while_condition="variables.n <",
        ),
        _controller(
            "unknown end", ".on_max_iterations", "'exit' or 'fail'", "stop", on_max_iterations="stop"
        ),
        _controller(
            "misspelt option", ".exit_condition", "unknown option", "'exit_conditions'", exit_condition=[]
        ),
        _exit("of an unknown type", ".type", "'context_value'", "value", type="value", path="n"),
        _exit("nothing", "", "type `expression` has a `condition`"),
        _exit("path without type", "", "type `expression` has a `condition`", path="n"),
        _exit("variable without path", "", "has a `path`", type="variable"),
        _exit(
            "variable with a condition", "", "every other type a `path`", type="variable", condition="true"
        ),
        _exit("cannot be read", ".condition", "character", condition="variables.n >"),
        _exit("unknown variable", ".condition", "'m' is not declared", condition="variables.m > 3"),
        _exit(
            "unknown node", ".condition", "'cnt'", "does not exist", "'count'", condition="nodes.cnt.n > 3"
        ),
        _exit(
            "unknown node by path",
            ".path",
            "'cnt'",
            "does not exist",
            "'count'",
            type="node_output",
            path="cnt.n",
            expected_value=1,
        ),
        _exit(
            "unknown function",
            ".condition",
            "no function 'lenght'",
            "length",
            condition="lenght(nodes.count) > 3",
        ),
        _exit(
            "misspelt option",
            ".expected",
            "unknown option 'expected'",
            "'expected_value'",
            type="variable",
            path="n",
            expected=3,
        ),
        _exit("a later node", ".condition", "'end'", "runs after this one", condition="nodes.end.x"),
        _broken(
            "misspelt option", ".break_condition", "unknown option", "'break_conditions'", break_condition=[]
        ),
        _broken("conditions are text", ".break_conditions", "valid list", break_conditions="item > 1"),
        _broken("a condition is text", ".break_conditions[0]", "an object", break_conditions=["item > 1"]),
        _broken(
            "without condition",
            ".break_conditions[0].condition",
            "missing",
            break_conditions=[{"reason": "x"}],
        ),
        _broken(
            "cannot be read",
            ".break_conditions[0].condition",
            "character",
            break_conditions=[{"condition": "item >"}],
        ),
        _broken(
            "unknown node",
            ".break_conditions[0].condition",
            "'aa'",
            "does not exist",
            break_conditions=[{"condition": "nodes.aa.x"}],
        ),
        _broken("cleanup in words", ".cleanup_on_break", "boolean", cleanup_on_break="perhaps"),
        _broken("loop_key is a list", ".loop_key", "valid string", loop_key=["each"]),
    ]


CLASSES = {
    "options of loops": options(),
}
