"""Everything that must hold before a definition can be published; all problems at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dag_factory.catalogue import Catalogue, NodeType
from dag_factory.compile import branch_routes, written_edges
from dag_factory.config import Expression, config_problems, expression_problems
from dag_factory.definition import Node, Workflow
from dag_factory.graph import ancestors, find_cycle
from dag_factory.plan import ERROR, SUCCESS
from oneo.problems import Problem
from oneo.suggest import did_you_mean


@dataclass
class _Checked:
    """A node whose type is known, with where it stands."""

    node: Node
    index: int
    type: type[NodeType]
    expressions: list[Expression]

    @property
    def config_path(self) -> str:
        return f"$.nodes[{self.index}].config"


def check(workflow: Workflow, catalogue: Catalogue) -> list[Problem]:
    """All problems of a definition whose form is right; no error among them means it can be compiled."""
    problems: list[Problem] = []
    checked: dict[str, _Checked] = {}
    problems += _duplicates(workflow)
    for index, node in enumerate(workflow.nodes):
        found = catalogue.get(node.type)
        if found is None:
            hint = did_you_mean(node.type, catalogue.types())
            message = f"there is no node type {node.type!r}"
            problems.append(Problem("error", node.id, f"$.nodes[{index}].type", message, hint))
            continue
        at = f"$.nodes[{index}].config"
        problems += config_problems(node, found, at)
        expressions, broken = expression_problems(node, found, at)
        problems += broken
        checked.setdefault(node.id, _Checked(node, index, found, expressions))
    edge_problems = _edges(workflow, checked)
    problems += edge_problems + _branches(workflow, checked)
    problems += _triggers(workflow, checked) + _settings(workflow)
    pairs = [(source, target) for source, target, _ in written_edges(workflow)]
    pairs += [
        (one.node.id, branch.target)
        for one in checked.values()
        for branch in one.type.branches(one.node.config)
        if branch.target is not None
    ]
    known = {node.id for node in workflow.nodes}
    pairs = [(source, target) for source, target in pairs if source in known and target in known]
    cycle = find_cycle(sorted(known), pairs)
    if cycle:
        message = "the edges form a cycle: " + " → ".join(cycle)
        hint = "remove an edge, or make a loop with a for_each node and its loop edges"
        problems.append(Problem("error", cycle[0], _edge_path(workflow, cycle), message, hint))
    before = None if cycle else ancestors(sorted(known), pairs)
    problems += _reads(workflow, checked, before)
    if before is not None:
        problems += _reachability(workflow, checked, before)
    return problems


def _duplicates(workflow: Workflow) -> list[Problem]:
    counts = Counter(node.id for node in workflow.nodes)
    seen: set[str] = set()
    problems = []
    for index, node in enumerate(workflow.nodes):
        if counts[node.id] > 1 and node.id in seen:
            message = f"two nodes have the id {node.id!r}"
            problems.append(
                Problem("error", node.id, f"$.nodes[{index}].id", message, "give each node its own id")
            )
        seen.add(node.id)
    return problems


def _edges(workflow: Workflow, checked: dict[str, _Checked]) -> list[Problem]:
    problems = []
    known = {node.id for node in workflow.nodes}
    for index, edge in enumerate(workflow.edges or []):
        at = f"$.edges[{index}]"
        for end in ("source", "target"):
            node_id = getattr(edge, end)
            if node_id not in known:
                message = f"the edge's {end} {node_id!r} is no node of this workflow"
                problems.append(Problem("error", None, f"{at}.{end}", message, did_you_mean(node_id, known)))
        if edge.loop or edge.loop_back or edge.loop_complete:
            name = next(key for key in ("loop", "loop_back", "loop_complete") if getattr(edge, key))
            message = f"edge {edge.source!r} → {edge.target!r} is a loop edge, but no node here makes loops"
            problems.append(Problem("error", edge.source, f"{at}.{name}", message, "remove the loop keys"))
        source = checked.get(edge.source)
        if source is None or edge.condition in (None, SUCCESS, ERROR):
            continue
        branches = list(source.type.branches(source.node.config))
        if not branches:
            message = f"a {source.node.type} node has no branch {edge.condition!r}"
            hint = "leave the condition out, write `error` for the error path, or put a condition node in between"
            problems.append(Problem("error", edge.source, f"{at}.condition", message, hint))
        elif not branch_routes(branches, edge.condition):
            names = [name for branch in branches for name in branch.names]
            message = f"node {edge.source!r} has no branch {edge.condition!r}"
            hint = did_you_mean(edge.condition, names)
            problems.append(Problem("error", edge.source, f"{at}.condition", message, hint))
    return problems


def _branches(workflow: Workflow, checked: dict[str, _Checked]) -> list[Problem]:
    problems = []
    known = {node.id for node in workflow.nodes}
    named = {(edge.source, edge.condition) for edge in workflow.edges or []}
    for one in checked.values():
        for branch in one.type.branches(one.node.config):
            if branch.target is None or branch.target in known:
                continue
            # `then` may also be a mere name that an edge's condition takes up.
            if any((one.node.id, name) in named for name in (*branch.names, branch.key)):
                continue
            message = f"branch leads to {branch.target!r}, which is no node of this workflow"
            hint = did_you_mean(branch.target, known - {one.node.id})
            problems.append(Problem("error", one.node.id, one.config_path + branch.path, message, hint))
    return problems


def _triggers(workflow: Workflow, checked: dict[str, _Checked]) -> list[Problem]:
    problems = []
    clocks = []
    for one in checked.values():
        if not one.type.is_trigger:
            continue
        leading = [index for index, edge in enumerate(workflow.edges or []) if edge.target == one.node.id]
        if leading:
            message = f"trigger {one.node.id!r} starts the workflow, so no edge can lead to it"
            problems.append(Problem("error", one.node.id, f"$.edges[{leading[0]}].target", message))
        if workflow.edges is None and one.index > 0:
            message = "without edges the nodes run in the listed order, so a trigger must stand first"
            hint = "move it to the front, or add edges"
            problems.append(Problem("error", one.node.id, f"$.nodes[{one.index}]", message, hint))
        if one.type.type == "trigger_scheduled":
            clocks.append(one)
    for one in clocks[1:]:
        message = "a workflow has one schedule, and another node gives it already"
        hint = f"remove it, or combine both cron expressions in node {clocks[0].node.id!r}"
        problems.append(Problem("error", one.node.id, f"$.nodes[{one.index}]", message, hint))
    return problems


def _settings(workflow: Workflow) -> list[Problem]:
    zone = workflow.settings.timezone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "an IANA name such as Europe/Berlin or America/New_York"
        return [Problem("error", None, "$.settings.timezone", f"{zone!r} is no time zone", hint)]
    return []


def _reads(
    workflow: Workflow, checked: dict[str, _Checked], before: dict[str, list[str]] | None
) -> list[Problem]:
    problems = []
    known = {node.id for node in workflow.nodes}
    for one in checked.values():
        for expression in one.expressions:
            at = one.config_path + expression.path
            for node_id in sorted(expression.reads.nodes):
                if node_id not in known:
                    message = f"the expression reads node {node_id!r}, which does not exist"
                    hint = did_you_mean(node_id, known - {one.node.id})
                    problems.append(Problem("error", one.node.id, at, message, hint))
                elif before is not None and node_id not in before[one.node.id]:
                    message = f"the expression reads node {node_id!r}, which does not run before this one"
                    possible = ", ".join(before[one.node.id]) or "none"
                    hint = f"lead an edge from it to here; nodes that run before: {possible}"
                    problems.append(Problem("error", one.node.id, at, message, hint))
            for read in expression.reads.paths:
                name = str(read.path[1]) if read.path[0] == "variables" and len(read.path) > 1 else None
                if name is not None and name not in workflow.variables and not read.guarded:
                    message = f"variable {name!r} is not declared"
                    hint = did_you_mean(name, workflow.variables)
                    problems.append(Problem("error", one.node.id, at, message, hint))
    return problems


def _reachability(
    workflow: Workflow, checked: dict[str, _Checked], before: dict[str, list[str]]
) -> list[Problem]:
    triggers = {one.node.id for one in checked.values() if one.type.is_trigger}
    if not triggers:
        return []
    problems = []
    for index, node in enumerate(workflow.nodes):
        if node.id not in triggers and not triggers & set(before[node.id]):
            message = "no path leads from a trigger to this node, so it would run at once, in every execution"
            hint = "connect it with an edge, or remove it"
            problems.append(Problem("error", node.id, f"$.nodes[{index}]", message, hint))
    return problems


def _edge_path(workflow: Workflow, cycle: list[str]) -> str:
    for index, edge in enumerate(workflow.edges or []):
        if (edge.source, edge.target) == (cycle[-2], cycle[-1]):
            return f"$.edges[{index}]"
    return "$.edges"
