"""Checks of what a node reads: outputs of nodes, variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dag_factory.catalogue import Place
from dag_factory.check_edges import Link
from dag_factory.checked import Checked
from dag_factory.definition import Workflow
from dag_factory.loops import Loops
from oneo.problems import Problem
from oneo.suggest import did_you_mean

Before = dict[str, list[str]]


def read_problems(
    workflow: Workflow,
    nodes: Sequence[Checked],
    connected: Sequence[Link],
    before: Before | None,
    loops: Loops,
) -> list[Problem]:
    """What nodes read that is not there when they run.

    Args:
        workflow: The definition.
        nodes: Its nodes whose type is known.
        connected: What leads where.
        before: The nodes that may run before each; None where a cycle leaves that open.
        loops: The loops.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for link in connected:
        sources[link.target].append(link.source)
    known = {node.id for node in workflow.nodes}
    types = {node.id: node.type for node in workflow.nodes}
    problems = []
    for one in nodes:
        own = one.node.id
        place = Place(sources[own], before[own] if before is not None else (), types)
        problems += _outputs(one, place, before, known, loops) + _variables(one, workflow, nodes, before)
    return problems


def _outputs(
    one: Checked, place: Place, before: Before | None, known: set[str], loops: Loops
) -> list[Problem]:
    problems = []
    own = one.node.id
    for path, what, node_id in _outputs_read(one, place):
        at = one.config_path + path
        if node_id not in known:
            message = f"{what} reads node {node_id!r}, which does not exist"
            problems.append(Problem("error", own, at, message, did_you_mean(node_id, known - {own})))
        elif before is not None and node_id not in before[own]:
            loop = _shut_in(own, node_id, before, loops)
            if loop is None:
                message = f"{what} reads node {node_id!r}, which does not run before this one"
                hint = _read_instead(own, node_id, before)
            else:
                message = f"{what} reads node {node_id!r}, which runs once in each round of loop {loop!r}"
                hint = f"read nodes.{loop}.results, the list of what the rounds gave"
            problems.append(Problem("error", own, at, message, hint))
    return problems


def _outputs_read(one: Checked, place: Place) -> Iterator[tuple[str, str, str]]:
    for expression in one.expressions:
        for node_id in sorted(expression.reads.nodes):
            yield expression.path, "the expression", node_id
    for path, node_id in one.type.reads(one.node.config, place):
        yield path, "this", node_id


def _shut_in(own: str, node_id: str, before: Before, loops: Loops) -> str | None:
    """The loop before a node whose rounds keep to themselves what another node gives."""
    around = loops.around.get(own, ())
    outwards = (owner for owner in reversed(loops.around.get(node_id, ())) if owner not in around)
    owner = next(outwards, None)
    return owner if owner is not None and owner in before[own] else None


def _read_instead(own: str, node_id: str, before: Before) -> str:
    possible = "nodes that run before: " + (", ".join(before[own]) or "none")
    if node_id == own:
        return f"a node has no output before it ran; {possible}"
    if own in before[node_id]:
        return f"it runs after this one; {possible}"
    return f"lead an edge from it to here; {possible}"


def _variables(
    one: Checked, workflow: Workflow, nodes: Sequence[Checked], before: Before | None
) -> list[Problem]:
    problems = []
    own = one.node.id
    earlier = set(before[own]) if before is not None else set()
    for expression in one.expressions:
        undeclared = {
            str(read.path[1])
            for read in expression.reads.paths
            if read.path[0] == "variables" and len(read.path) > 1 and not read.guarded
        } - workflow.variables.keys()
        for name in sorted(undeclared):
            setters = [other.node.id for other in nodes if name in other.defines]
            if (before is None and setters) or (before is not None and earlier.intersection(setters)):
                continue
            message = f"variable {name!r} is not declared"
            if setters:
                message += f", and node {setters[0]!r}, which sets it, does not run before this one"
                hint = "add it to `variables`, or lead an edge from that node to here"
            else:
                there = set(workflow.variables)
                there |= {known for other in nodes if other.node.id in earlier for known in other.defines}
                hint = did_you_mean(name, there) if there else "add it to `variables`"
            problems.append(Problem("error", own, one.config_path + expression.path, message, hint))
    return problems
