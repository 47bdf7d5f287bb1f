"""Loops that repeat until something holds."""

from __future__ import annotations

from typing import Any

from tests.control_flow.writing import Case, add, again, show

BEFORE = "start > again; again > step loop; step > again back; again > end done"
BEHIND = "start > step; step > again; again > end"
COUNT = add(n=1)
END = show(n="{{ variables.n }}", rounds="{{ nodes.again.iterations }}", why="{{ nodes.again.exit_reason }}")
N = {"variables": {"n": 0}}


def counted(name: str, rounds: int, why: str, edges: str | None = BEFORE, **options: Any) -> Case:
    """A controller whose body counts a variable up from 0."""
    ran = {"again": 1, "step": rounds, "end": 1} if rounds else {"again": 1, "end": 1}
    nodes = {"step": COUNT, "again": again(**options), "end": END}
    outputs = {"end": {"n": rounds, "rounds": rounds, "why": why}}
    return Case(name, nodes, edges, ran, outputs=outputs, more=N)


def until(kind: str, path: str, value: Any) -> list[dict[str, Any]]:
    """One exit condition."""
    return [{"type": kind, "path": path, "expected_value": value}]


CASES = [
    counted("count before the body", 4, "completed", loop_type="count", count=4),
    counted("count behind the body", 4, "completed", BEHIND, loop_type="count", count=4, loop_back_to="step"),
    counted("count to nothing", 0, "completed", loop_type="count", count=0),
    counted(
        "count to nothing behind the body",
        1,
        "completed",
        BEHIND,
        loop_type="count",
        count=0,
        loop_back_to="step",
    ),
    counted("count without a number", 3, "completed", loop_type="count", max_iterations=3),
    counted("count beyond what is allowed", 10, "max_iterations", loop_type="count", count=20),
    counted("while before the body", 3, "completed", loop_type="while", while_condition="variables.n < 3"),
    counted(
        "conditions count the rounds", 4, "completed", loop_type="while", while_condition="loop.index < 4"
    ),
    counted(
        "conditions count the rounds behind the body",
        4,
        "exit_condition",
        BEHIND,
        exit_conditions=[{"condition": "loop.number > 4"}],
        loop_back_to="step",
    ),
    counted("while not at all", 0, "completed", loop_type="while", while_condition="variables.n > 3"),
    counted(
        "while behind the body",
        3,
        "completed",
        BEHIND,
        loop_type="while",
        while_condition="{{ variables.n }} < 3",
        loop_back_to="step",
    ),
    counted(
        "while behind the body runs once",
        1,
        "completed",
        BEHIND,
        loop_type="while",
        while_condition="false",
        loop_back_to="step",
    ),
    counted("until a variable", 2, "exit_condition", exit_conditions=until("variable", "n", 2)),
    counted(
        "until a variable behind",
        2,
        "exit_condition",
        BEHIND,
        exit_conditions=until("variable", "n", 2),
        loop_back_to="step",
    ),
    counted("until an expression", 5, "exit_condition", exit_conditions=[{"condition": "variables.n >= 5"}]),
    counted(
        "an exit condition that holds from the beginning",
        0,
        "exit_condition",
        exit_conditions=[{"condition": "variables.n == 0"}],
    ),
    counted(
        "an exit condition that never holds", 10, "max_iterations", exit_conditions=[{"condition": "false"}]
    ),
    counted(
        "no more rounds than allowed behind",
        3,
        "max_iterations",
        BEHIND,
        max_iterations=3,
        loop_back_to="step",
    ),
    counted(
        "the first exit condition that holds gives the reason",
        2,
        "two",
        exit_conditions=[
            {"condition": "variables.n > 4", "reason": "four"},
            {"condition": "variables.n > 1", "reason": "two"},
        ],
    ),
    counted(
        "an exit condition ends a count",
        2,
        "early",
        loop_type="count",
        count=5,
        exit_conditions=[{"condition": "variables.n == 2", "reason": "early"}],
    ),
    counted(
        "an exit condition ends a while",
        2,
        "early",
        loop_type="while",
        while_condition="true",
        exit_conditions=[{"condition": "variables.n == 2", "reason": "early"}],
    ),
    counted(
        "ways out by the names of their edges",
        2,
        "completed",
        "start > again; again > step : body; step > again back; again > end : out",
        loop_type="count",
        count=2,
        loop_back_to="body",
        exit_to="out",
    ),
    counted(
        "ways out by config alone",
        2,
        "completed",
        "start > again; step > again",
        loop_type="count",
        count=2,
        loop_back_to="step",
        exit_to="end",
    ),
    counted("the listed order", 3, "completed", None, loop_type="count", count=3, loop_back_to="step"),
    counted(
        "an edge leads back to the beginning",
        2,
        "completed",
        "start > step; step > again; again > step back; again > end done",
        loop_type="count",
        count=2,
    ),
    Case(
        "until a context entry",
        {
            "again": again(exit_conditions=until("context_value", "merged_data.n", 3)),
            "step": COUNT,
            "tell": show(n="{{ variables.n }}"),
            "end": END,
        },
        "start > again; again > step loop; step > tell; tell > again back; again > end done",
        {"again": 1, "step": 3, "tell": 3, "end": 1},
        outputs={"end": {"n": 3, "rounds": 3, "why": "exit_condition"}},
        more=N,
    ),
    Case(
        "too many rounds fail where that is wanted",
        {"again": again(max_iterations=2, on_max_iterations="fail"), "step": COUNT, "end": END},
        BEFORE,
        {"step": 2},
        status="failed",
        error="not done after 2 rounds",
        more=N,
    ),
    Case(
        "too many rounds can be handled",
        {
            "again": again(max_iterations=2, on_max_iterations="fail"),
            "step": COUNT,
            "end": END,
            "handle": show(p=1),
        },
        BEFORE + "; again > handle : error",
        {"again": 1, "step": 2, "handle": 1},
        more=N,
    ),
    Case(
        "an exit condition that cannot be evaluated",
        {
            "again": again(exit_conditions=[{"condition": "variables.n > no_such_name"}]),
            "step": COUNT,
            "end": END,
        },
        BEFORE,
        {},
        status="failed",
        error="config.exit_conditions[0].condition",
        more=N,
    ),
    counted("until an output", 3, "exit_condition", exit_conditions=until("node_output", "step.n", 3)),
    counted(
        "until an output behind",
        3,
        "exit_condition",
        BEHIND,
        exit_conditions=until("node_output", "step.n", 3),
        loop_back_to="step",
    ),
    counted(
        "until an expression on the body's output behind",
        2,
        "exit_condition",
        BEHIND,
        exit_conditions=[{"condition": "{{ nodes.step.n }} == 2"}],
        loop_back_to="step",
    ),
]
