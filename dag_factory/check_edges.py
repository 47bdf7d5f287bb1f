"""Checks of what leads where: edges, branches, cycles."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from dag_factory.catalogue import Branch
from dag_factory.checked import Checked
from dag_factory.compile import branch_routes
from dag_factory.definition import Edge, Workflow
from dag_factory.graph import find_cycles
from dag_factory.loops import Loops
from dag_factory.plan import ERROR, SUCCESS
from oneo.problems import Problem
from oneo.suggest import did_you_mean


@dataclass(frozen=True)
class Link:
    """One node leads to another, as the document says at `path`."""

    source: str
    target: str
    path: str


def links(loops: Loops, checked: Mapping[str, Checked], known: Container[str]) -> list[Link]:
    """Everything that orders two existing nodes: edges, listed order, targets that configs name."""
    found = [Link(edge.source, edge.target, edge.path) for edge in loops.edges]
    found += [
        Link(one.node.id, branch.target, one.config_path + branch.path)
        for one in checked.values()
        for branch in one.branches
        if branch.target is not None
    ]
    found += [
        Link(owner, loop.spec.exit_target, checked[owner].config_path)
        for owner, loop in loops.by_owner.items()
        if loop.spec.exit_target is not None
    ]
    # What leads to a trigger is a problem of its own, and orders nothing.
    triggers = {one.node.id for one in checked.values() if one.type.is_trigger}
    return [
        link
        for link in found
        if link.source in known and link.target in known and link.target not in triggers
    ]


def edge_problems(workflow: Workflow, checked: Mapping[str, Checked], loops: Loops) -> list[Problem]:
    """What is wrong with single edges and branches."""
    known = {node.id for node in workflow.nodes}
    problems = []
    for index, edge in enumerate(workflow.edges or []):
        at = f"$.edges[{index}]"
        for end, node_id, other in (
            ("source", edge.source, edge.target),
            ("target", edge.target, edge.source),
        ):
            if node_id not in known:
                message = f"the edge's {end} {node_id!r} is no node of this workflow"
                concerned = other if other in known else None
                hint = did_you_mean(node_id, known - {other})
                problems.append(Problem("error", concerned, f"{at}.{end}", message, hint))
        problems += _complete(edge, at, loops) + _condition(edge, at, checked.get(edge.source), loops)
        target = checked.get(edge.target)
        if target is not None and target.type.is_trigger:
            message = f"trigger {edge.target!r} starts the workflow, so no edge can lead to it"
            hint = "turn the edge round, or remove it"
            problems.append(Problem("error", edge.target, f"{at}.target", message, hint))
    problems += _idle_triggers(workflow, checked)
    named = {(edge.source, edge.condition) for edge in workflow.edges or []}
    for one in checked.values():
        for branch in one.branches:
            # A target may also be a mere name that an edge's condition takes up.
            taken_up = any((one.node.id, name) in named for name in (*branch.names, branch.key))
            problems += _branch(one, branch, known, checked, taken_up=taken_up)
    return problems


def _idle_triggers(workflow: Workflow, checked: Mapping[str, Checked]) -> list[Problem]:
    """Triggers that nothing follows, and edges that wait for the failure of one."""
    problems = []
    triggers = {one.node.id: one for one in checked.values() if one.type.is_trigger}
    leading = {edge.source for edge in workflow.edges or []}
    if workflow.edges and len(triggers) < len(workflow.nodes):
        for name in triggers.keys() - leading:
            message = f"nothing follows trigger {name!r}: an execution that it starts does nothing"
            hint = "lead an edge from it to the first node, or remove it"
            problems.append(Problem("warning", name, f"$.nodes[{triggers[name].index}]", message, hint))
    for index, edge in enumerate(workflow.edges or []):
        if edge.condition == ERROR and edge.source in triggers:
            message = f"trigger {edge.source!r} never fails, so this edge is never taken"
            hint = "lead it from the node that may fail; settings.error_workflow runs after any failure"
            problems.append(Problem("warning", edge.source, f"$.edges[{index}].condition", message, hint))
    return problems


def _complete(edge: Edge, at: str, loops: Loops) -> list[Problem]:
    if not edge.loop_complete or edge.source in loops.by_owner:
        return []
    message = f"edge {edge.source!r} → {edge.target!r} leads on from a loop, but {edge.source!r} makes none"
    return [Problem("error", edge.source, f"{at}.loop_complete", message, "remove loop_complete")]


def _condition(edge: Edge, at: str, source: Checked | None, loops: Loops) -> list[Problem]:
    if source is None or edge.condition is None or edge.condition in (SUCCESS, ERROR):
        return []
    if source.type.is_missing:
        # Nobody knows its ways out yet.
        return []
    loop = loops.by_owner.get(edge.source)
    if loop is not None:
        ways = [name for name in (loop.spec.body_target, loop.spec.exit_target) if name is not None]
        if edge.condition in ways:
            return []
        message = f"loop {edge.source!r} has no way out called {edge.condition!r}"
        hint = (
            did_you_mean(edge.condition, ways) if ways else "write loop or loop_complete on the edge instead"
        )
    elif not source.branches:
        message = f"a {source.node.type} node has no branch {edge.condition!r}"
        hint = "leave the condition out, write `error` for the error path, or put a condition node in between"
    elif not branch_routes(source.branches, edge.condition, edge.target):
        message = f"node {edge.source!r} has no branch {edge.condition!r}"
        hint = did_you_mean(edge.condition, [name for branch in source.branches for name in branch.names])
    else:
        return []
    return [Problem("error", edge.source, f"{at}.condition", message, hint)]


def _branch(
    one: Checked, branch: Branch, known: set[str], checked: Mapping[str, Checked], *, taken_up: bool
) -> list[Problem]:
    problems = []
    at = one.config_path + branch.path
    if branch.key in (SUCCESS, ERROR):
        # Those are the names of the ways every node has: a branch of that name would be taken with them.
        message = (
            f"a branch cannot be called {branch.key!r}, which is what edges call every node's own outcome"
        )
        problems.append(Problem("error", one.node.id, at, message, "give it another label"))
    target = checked.get(branch.target) if branch.target is not None else None
    if target is not None and target.type.is_trigger:
        message = f"trigger {branch.target!r} starts the workflow, so no branch can lead to it"
        hint = "lead it to another node"
        problems.append(Problem("error", one.node.id, at, message, hint))
    elif branch.target is not None and branch.target not in known and not taken_up:
        message = f"branch leads to {branch.target!r}, which is no node of this workflow"
        hint = did_you_mean(branch.target, known - {one.node.id})
        problems.append(Problem("error", one.node.id, at, message, hint))
    return problems


def cycle_problems(known: Sequence[str], connected: Sequence[Link]) -> list[Problem]:
    """A problem for each cycle, at the place that closes it."""
    paths = {(link.source, link.target): link.path for link in reversed(connected)}
    problems = []
    for cycle in find_cycles(known, [(link.source, link.target) for link in connected]):
        message = "the edges form a cycle: " + " → ".join(cycle)
        hint = "remove an edge, or make a loop with a for_each node and its loop edges"
        problems.append(Problem("error", cycle[0], paths[cycle[-2], cycle[-1]], message, hint))
    return problems
