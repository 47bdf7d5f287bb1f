"""Workflows in workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.control_flow.writing import Case, add, again, each, edges, fail, show, when


def other(name: str, nodes: Mapping[str, Mapping[str, Any]], order: str, **more: Any) -> dict[str, Any]:
    """A workflow that is published before."""
    listed: list[dict[str, Any]] = [{"id": "start", "type": "trigger_manual"}]
    listed += [{"id": node_id, **node} for node_id, node in nodes.items()]
    return {"id": name, "name": name, "nodes": listed, "edges": edges(order), **more}


def call(workflow_id: str, handling: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """A node that runs another workflow."""
    node = {"type": "sub_workflow", "config": {"workflow_id": workflow_id, **options}}
    return {**node, "error_handling": dict(handling)} if handling else node


def use(workflow_id: str, **inputs: Any) -> dict[str, Any]:
    """A node that runs a building block."""
    return {"type": "reusable_workflow", "config": {"workflow_id": workflow_id, "inputs": inputs}}


HELLO = other("hello", {"say": show(text="Hello {{ default(trigger.who, 'you') }}")}, "start > say")
BREAKS = other("breaks", {"bad": fail("here")}, "start > bad")
DOUBLE = other(
    "double",
    {"work": show(twice="{{ variables.n * 2 }}")},
    "start > work",
    variables={"n": {"type": "number", "required": True}},
    outputs={"twice": {"value": "{{ nodes.work.twice }}", "type": "number"}},
)
MIDDLE = other(
    "middle", {"inner": call("hello", context_mapping={"who": "{{ trigger.who }}"})}, "start > inner"
)
OUTER = other(
    "outer", {"inner": call("middle", context_mapping={"who": "{{ trigger.who }}"})}, "start > inner"
)

CASES = [
    Case(
        "a workflow runs another",
        {
            "call": call("hello", context_mapping={"who": "Ann"}),
            "end": show(x="{{ nodes.call.output.text }}"),
        },
        "start > call; call > end",
        {"call": 1, "end": 1},
        outputs={"end": {"x": "Hello Ann"}},
        others=[HELLO],
    ),
    Case(
        "three deep",
        {
            "call": call("outer", context_mapping={"who": "Ann"}),
            "end": show(x="{{ nodes.call.output.output.output.text }}"),
        },
        "start > call; call > end",
        {"call": 1, "end": 1},
        outputs={"end": {"x": "Hello Ann"}},
        others=[HELLO, MIDDLE, OUTER],
    ),
    Case(
        "one sub-workflow for each round of a loop",
        {
            "each": each(["Ann", "Bob"]),
            "call": call("hello", context_mapping={"who": "{{ item }}"}),
            "end": show(x="{{ nodes.each.results[1].output.text }}"),
        },
        "start > each; each > call loop; call > each back; each > end done",
        {"each": 1, "call": 2, "end": 1},
        outputs={"end": {"x": "Hello Bob"}},
        others=[HELLO],
    ),
    Case(
        "sub-workflows side by side",
        {
            "each": each(list(range(24)), parallel_processing=True, batch_size=24),
            "call": call("hello", context_mapping={"who": "{{ item }}"}),
            "end": show(x="{{ nodes.each.results[23].output.text }}"),
        },
        "start > each; each > call loop; call > each back; each > end done",
        {"each": 1, "call": 24, "end": 1},
        outputs={"end": {"x": "Hello 23"}},
        others=[HELLO],
    ),
    Case(
        "a loop inside a sub-workflow inside a loop",
        {
            "each": each([1, 2]),
            "call": call("counts", context_mapping={"upto": "{{ item }}"}),
            "end": show(x="{{ nodes.each.results[1].output.n }}"),
        },
        "start > each; each > call loop; call > each back; each > end done",
        {"each": 1, "call": 2, "end": 1},
        outputs={"end": {"x": 2}},
        others=[
            other(
                "counts",
                {
                    "step": add(n=1),
                    "again": again(
                        loop_back_to="step", loop_type="while", while_condition="variables.n < trigger.upto"
                    ),
                    "last": show(n="{{ variables.n }}"),
                },
                "start > step; step > again; again > last",
                variables={"n": 0},
            )
        ],
    ),
    Case(
        "a sub-workflow that fails fails its node",
        {"call": call("breaks"), "end": show(x=1)},
        "start > call; call > end",
        {},
        status="failed",
        error="sub-workflow 'breaks' failed: node 'bad': ",
        others=[BREAKS],
    ),
    Case(
        "a failure three deep is told with its way",
        {"call": call("farther")},
        "start > call",
        {},
        status="failed",
        error="sub-workflow 'farther' failed: node 'inner': sub-workflow 'far' failed: node 'inner': ",
        others=[
            BREAKS,
            other("far", {"inner": call("breaks")}, "start > inner"),
            other("farther", {"inner": call("far")}, "start > inner"),
        ],
    ),
    Case(
        "an error edge handles a sub-workflow that failed",
        {
            "call": call("breaks"),
            "save": show(x="{{ 'breaks' in nodes.call.error.message }}"),
            "end": show(x=1),
        },
        "start > call; call > save : error; call > end",
        {"call": 1, "save": 1},
        outputs={"save": {"x": True}},
        others=[BREAKS],
    ),
    Case(
        "a loop goes on behind a sub-workflow that failed",
        {
            "each": each([1, 2], continue_on_error=True),
            "call": call("breaks"),
            "end": show(x="{{ nodes.each.failed_count }}"),
        },
        "start > each; each > call loop; call > each back; each > end done",
        {"each": 1, "end": 1},
        outputs={"end": {"x": 2}},
        others=[BREAKS],
    ),
    Case(
        "a workflow that does not exist",
        {"call": call("helo")},
        "start > call",
        {},
        status="failed",
        error="there is no workflow 'helo'",
        others=[HELLO],
    ),
    Case(
        "a branch chooses the workflow",
        {
            "which": when(("trigger.n > 1", "many"), otherwise="few"),
            "many": call("{{ 'hel' ~ 'lo' }}", context_mapping={"who": "all"}),
            "few": call("breaks"),
            "end": show(x="{{ nodes.many.output.text }}"),
        },
        "start > which; which > many : many; which > few : few; many > end; few > end",
        {"which": 1, "many": 1, "end": 1},
        outputs={"end": {"x": "Hello all"}},
        data={"n": 2},
        others=[HELLO, BREAKS],
    ),
    Case(
        "a workflow that is started and not waited for",
        {
            "call": call("breaks", wait_for_completion=False),
            "end": show(x="{{ nodes.call.status }}"),
        },
        "start > call; call > end",
        {"call": 1, "end": 1},
        outputs={"end": {"x": "started"}},
        others=[BREAKS],
    ),
    Case(
        "a building block with inputs and outputs",
        {"use": use("double", n=21), "end": show(x="{{ nodes.use.outputs.twice }}")},
        "start > use; use > end",
        {"use": 1, "end": 1},
        outputs={"end": {"x": 42}},
        others=[DOUBLE],
    ),
    Case(
        "building blocks in a loop",
        {
            "each": each([1, 2, 3]),
            "use": use("double", n="{{ item }}"),
            "end": show(x="{{ nodes.each.results | map('outputs.twice') }}"),
        },
        "start > each; each > use loop; use > each back; each > end done",
        {"each": 1, "use": 3, "end": 1},
        outputs={"end": {"x": [2, 4, 6]}},
        others=[DOUBLE],
    ),
    Case(
        "an input that an expression gets wrong",
        {"use": use("double", n="{{ trigger.n }}")},
        "start > use",
        {},
        status="failed",
        error="sub-workflow 'double': variable 'n': 'two' is not of type 'number'",
        data={"n": "two"},
        others=[DOUBLE],
    ),
    Case(
        "workflows that call each other are stopped at run time",
        {"call": call("{{ trigger.other }}")},
        "start > call",
        {},
        status="failed",
        error="workflows_that_call_each_other_are_stopped_at_run_time → back → workflows_that_call",
        data={"other": "back"},
        others=[
            other(
                "back",
                {"call": call("workflows_that_call_each_other_are_stopped_at_run_time")},
                "start > call",
            )
        ],
    ),
]
