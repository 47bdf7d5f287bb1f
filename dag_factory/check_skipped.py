"""Warnings about outputs of nodes that may have been skipped when another node, or the workflow's end, reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dag_factory.catalogue import Branch, Catalogue
from dag_factory.config import expressions_of
from dag_factory.definition import Workflow
from dag_factory.json_path import json_path
from dag_factory.plan import ERROR, SUCCESS, Body, Flow, Plan, PlanEdge
from oneo.expressions import Reads, compile_template, templates_in
from oneo.problems import Problem

# Gives the branches of a node.
Branches = Callable[[str], list[Branch]]


def skipped_problems(workflow: Workflow, plan: Plan, catalogue: Catalogue) -> list[Problem]:
    """What reads a node's output although a way leads there on which that node does not run.

    Args:
        workflow: A definition without errors.
        plan: Its plan.
        catalogue: The node types.
    """
    types = {node.id: catalogue.get(node.type) for node in workflow.nodes}
    configs = {node.id: node.config for node in workflow.nodes}

    def branches(node_id: str) -> list[Branch]:
        node_type = types[node_id]
        return list(node_type.branches(configs[node_id])) if node_type is not None else []

    levels = _Levels(plan, branches)
    problems: list[Problem] = []
    for index, node in enumerate(workflow.nodes):
        node_type = types[node.id]
        for expression in expressions_of(node, node_type) if node_type is not None else ():
            at = f"$.nodes[{index}].config{expression.path}"
            problems += _warnings(levels, expression.reads, node.id, at)
    for name, output in workflow.outputs.items():
        for at, source in templates_in(output.value, json_path(["outputs", name, "value"])):
            problems += _warnings(levels, compile_template(source).reads, None, at)
    return problems


def _warnings(levels: _Levels, reads: Reads, reader: str | None, at: str) -> Iterator[Problem]:
    must_be_there = dict.fromkeys(read.node for read in reads.paths if not read.guarded)
    for read in filter(None, must_be_there):
        way = levels.way_past(read, reader)
        if way is not None:
            message = f"node {read!r} does not run where {way.says}, and its output is read here all the same"
            hint = "catch what is missing with default(…)"
            yield Problem("warning", reader, at, message, hint)


@dataclass(frozen=True)
class _Way:
    """One way things can go.

    Attributes:
        says: What decides it, and how.
        reached: The nodes of its level that may run then.
    """

    says: str
    reached: frozenset[str]


class _Levels:
    """The levels of a plan, and the ways through each."""

    def __init__(self, plan: Plan, branches: Branches) -> None:
        self._branches = branches
        self._level_of: dict[str, Flow] = {}
        self._owner_of: dict[str, str] = {}
        self._ways: dict[int, list[_Way]] = {}
        self._enter(plan, None)

    def _enter(self, level: Flow, owner: str | None) -> None:
        for node in level.nodes:
            self._level_of[node.id] = level
            if owner is not None:
                self._owner_of[node.id] = owner
            if node.body is not None:
                self._enter(node.body, node.id)

    def way_past(self, read: str, reader: str | None) -> _Way | None:
        """A way to a node, or to the end, on which another node does not run; None where there is none."""
        level = self._level_of.get(read)
        if level is None or (reader is None and read in self._owner_of):
            return None
        while reader is not None and self._level_of.get(reader) is not level:
            reader = self._owner_of.get(reader)
            if reader is None:
                # What is read is inside of a loop that has ended, which keeps the last output there was.
                return None
        if id(level) not in self._ways:
            self._ways[id(level)] = list(_ways(level, self._branches))
        return next(
            (
                way
                for way in self._ways[id(level)]
                if read not in way.reached and (reader is None or reader in way.reached)
            ),
            None,
        )


def _ways(level: Flow, branches: Branches) -> Iterator[_Way]:
    """The ways that things can go on a level, one decision at a time, all others being open."""
    led_to = {edge.target for edge in level.edges}
    starts = set(level.entries) if isinstance(level, Body) else level.by_id.keys() - led_to
    after: dict[str, list[PlanEdge]] = {node.id: [] for node in level.nodes}
    for edge in level.edges:
        # Those from a body back to its loop node lead to none of its nodes.
        if edge.target in after:
            after[edge.source].append(edge)
    triggers = {node.id for node in level.nodes if node.is_trigger}
    if len(triggers) > 1:
        for trigger in sorted(triggers):
            reached = _reached(after, starts - triggers | {trigger})
            yield _Way(f"trigger {trigger!r} starts the workflow", reached)
    for node in level.nodes:
        for says, routes in _decisions(node.id, after[node.id], branches):
            open_then = [edge for edge in after[node.id] if not routes.isdisjoint(edge.routes)]
            yield _Way(says, _reached({**after, node.id: open_then}, starts))


def _decisions(node_id: str, edges: Sequence[PlanEdge], branches: Branches) -> Iterator[tuple[str, set[str]]]:
    """(what a node does, the routes it takes then) of each of its ways out, where it has several."""
    names = {name for edge in edges for name in edge.routes} - {SUCCESS}
    if ERROR in names:
        yield f"node {node_id!r} has failed", {ERROR}
        yield f"node {node_id!r} has not failed", names - {ERROR} | {SUCCESS}
    keys = sorted(names - {ERROR})
    if not keys:
        return
    for key in keys:
        yield f"node {node_id!r} takes {key!r}", {key, SUCCESS}
    ways = branches(node_id)
    if {way.key for way in ways} - names or not any(way.path.endswith(".else") for way in ways):
        yield f"node {node_id!r} does not take {' or '.join(map(repr, keys))}", {SUCCESS}


def _reached(after: Mapping[str, Sequence[PlanEdge]], starts: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    pending = list(starts)
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += [edge.target for edge in after[node]]
    return frozenset(found)
