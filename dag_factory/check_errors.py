"""Checks of what is to follow failures: who handles them, and who asks about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dag_factory.catalogue import Retry
from dag_factory.check_reads import Before
from dag_factory.checked import Checked
from dag_factory.definition import Workflow
from dag_factory.error_handling import OnError, error_handling
from dag_factory.loops import Loops
from dag_factory.plan import ERROR
from oneo.expressions import PathRead
from oneo.problems import Problem
from oneo.suggest import did_you_mean

# What expressions call the failure that led to a node.
FAILURE = "error"


def handling_problems(workflow: Workflow, checked: Mapping[str, Checked]) -> list[Problem]:
    """What is wrong with how failures are to be handled."""
    problems = _of_workflow(workflow)
    routed = {edge.source for edge in workflow.edges or () if edge.condition == ERROR}
    for one in checked.values():
        own = one.node.error_handling
        if own is None:
            continue
        at = f"$.nodes[{one.index}].error_handling"
        if own.fallback_node is not None:
            problems += _fallback(one, own.fallback_node, f"{at}.fallback_node", workflow, checked)
        elif own.on_error == "route" and one.node.id not in routed:
            message = "a failure of this node is to be routed, but no way leads on from it"
            hint = "name a fallback_node, or lead an edge with condition `error` to the node that handles it"
            problems.append(Problem("error", one.node.id, f"{at}.on_error", message, hint))
        decided = _decided(one, workflow)
        if own.on_error == "retry" and decided is not None and decided[0].count == 0:
            problems.append(_no_retries(one.node.id, f"{at}.on_error"))
    return problems


def _of_workflow(workflow: Workflow) -> list[Problem]:
    at = "$.error_handling"
    handling = workflow.error_handling
    problems = []
    if handling.fallback_node is not None or handling.on_error == "route":
        key = "on_error" if handling.fallback_node is None else "fallback_node"
        message = "where a failure leads is each node's own, so the workflow cannot say it for all of them"
        hint = "say it on the nodes; settings.error_workflow runs after any failure"
        problems.append(Problem("error", None, f"{at}.{key}", message, hint))
    if handling.on_error == "retry" and handling.retry_count == 0:
        problems.append(_no_retries(None, f"{at}.on_error"))
    if workflow.settings.error_workflow == workflow.key:
        message = (
            "a workflow cannot be its own error workflow: it would run after its own failures, and fail again"
        )
        hint = "name another one, or `none`"
        problems.append(Problem("error", None, "$.settings.error_workflow", message, hint))
    return problems


def _no_retries(node: str | None, path: str) -> Problem:
    message = "on_error is `retry`, but retry_count 0 allows none"
    return Problem("warning", node, path, message, "raise retry_count, or write `fail`")


def _fallback(
    one: Checked, fallback: str, path: str, workflow: Workflow, checked: Mapping[str, Checked]
) -> list[Problem]:
    own = one.node.id
    others = {node.id for node in workflow.nodes} - {own}
    if fallback == own:
        message, hint = "a node cannot handle its own failure", "name another node"
    elif fallback not in others:
        message = f"fallback_node {fallback!r} is no node of this workflow"
        handlers = [name for name in others if not _is_trigger(checked.get(name))]
        hint = did_you_mean(fallback, handlers) if handlers else "add a node that handles the failure"
    elif _is_trigger(checked.get(fallback)):
        message = f"trigger {fallback!r} starts the workflow, so no failure can lead to it"
        hint = "name another node"
    else:
        return []
    return [Problem("error", own, path, message, hint)]


def _is_trigger(one: Checked | None) -> bool:
    return one is not None and one.type.is_trigger


def failure_problems(
    workflow: Workflow, nodes: Sequence[Checked], before: Before, loops: Loops
) -> list[Problem]:
    """Expressions that ask about a failure where none can have led.

    Args:
        workflow: The definition.
        nodes: Its nodes whose type is known.
        before: The nodes that may run before each.
        loops: The loops.
    """
    if FAILURE in workflow.variables or any(FAILURE in one.defines for one in nodes):
        return []
    handlers = {edge.target for edge in loops.edges if edge.condition == ERROR}
    passed = handlers | {edge.source for edge in loops.returns}
    passed |= {one.node.id for one in nodes if _goes_on(one, workflow)}
    problems = []
    for one in nodes:
        around = loops.around.get(one.node.id, ())
        led = any(place in handlers or passed.intersection(before[place]) for place in (one.node.id, *around))
        if led or any(loops.by_owner[owner].spec.item == FAILURE for owner in around):
            continue
        for path, read in _asks(one):
            message = f"the expression reads {read}, but no failure leads here"
            hint = (
                "lead an edge with condition `error` here, or catch what is missing with default(…); in an error "
                f"workflow, write trigger.{read}"
            )
            problems.append(Problem("error", one.node.id, one.config_path + path, message, hint))
    return problems


def _goes_on(one: Checked, workflow: Workflow) -> bool:
    decided = _decided(one, workflow)
    return decided is not None and decided[1] == "continue"


def _decided(one: Checked, workflow: Workflow) -> tuple[Retry, OnError] | None:
    try:
        return error_handling(one.node, one.type, workflow.error_handling)
    except (TypeError, ValueError):
        # Its options are a problem of their own.
        return None


def _asks(one: Checked) -> Iterator[tuple[str, PathRead]]:
    for expression in one.expressions:
        for read in expression.reads.paths:
            if read.path[0] == FAILURE and len(read.path) > 1 and not read.guarded:
                yield expression.path, read
