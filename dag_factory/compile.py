"""From a checked definition to its plan: a pure function, no clock, no I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from dag_factory.catalogue import Branch, Catalogue, NodeType, Place, Retry
from dag_factory.config import expressions_of
from dag_factory.definition import ErrorHandling, Node, Workflow
from dag_factory.graph import ancestors, topological_order
from dag_factory.plan import ERROR, SUCCESS, Plan, PlanEdge, PlanNode


def compile_workflow(
    workflow: Workflow, catalogue: Catalogue, definition_hash: str, *, only: str | None = None
) -> Plan:
    """The plan of a definition that passed the checks.

    Args:
        workflow: The definition.
        catalogue: The node types; the same catalogue and definition give the same plan, byte for byte.
        definition_hash: Identity of the document, carried along.
        only: Id of the one node whose config is read; a process that runs it needs no others'.
    """
    types = {node.id: _type_of(node, catalogue) for node in workflow.nodes}
    edges = _edges(workflow, types)
    ids = [node.id for node in workflow.nodes]
    pairs = [(edge.source, edge.target) for edge in edges]
    before = ancestors(ids, pairs)
    by_id = {node.id: node for node in workflow.nodes}
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        sources[edge.target].append(edge.source)
    type_names = {node.id: node.type for node in workflow.nodes}
    nodes = tuple(
        _plan_node(
            by_id[node_id],
            types[node_id],
            workflow,
            Place(sources[node_id], before[node_id], type_names),
            is_read=only in (None, node_id),
        )
        for node_id in topological_order(ids, pairs)
    )
    schedules = [types[node.id].schedule(node.config) for node in nodes if node.is_trigger]
    schedule = next((found for found in schedules if found is not None), None)
    limit = (
        schedule.max_active_runs
        if schedule and schedule.max_active_runs
        else workflow.settings.max_active_runs
    )
    return Plan(
        workflow_id=workflow.key,
        name=workflow.name,
        description=workflow.description,
        definition_hash=definition_hash,
        nodes=nodes,
        edges=tuple(edges),
        variables={
            name: variable.model_dump(exclude_none=True, exclude_defaults=True)
            for name, variable in workflow.variables.items()
        },
        schedule=schedule,
        timezone=workflow.settings.timezone,
        max_active_runs=limit,
        timeout_minutes=workflow.settings.timeout_minutes,
        tags=tuple(workflow.settings.tags),
    )


def _type_of(node: Node, catalogue: Catalogue) -> type[NodeType]:
    found = catalogue.get(node.type)
    if found is None:
        raise KeyError(f"node type {node.type!r} is not in the catalogue")
    return found


def written_edges(workflow: Workflow) -> list[tuple[str, str, str | None]]:
    """(source, target, condition) of the definition, the listed order standing in for missing edges."""
    if workflow.edges is None:
        ids = [node.id for node in workflow.nodes]
        return [(source, target, None) for source, target in pairwise(ids)]
    return [(edge.source, edge.target, edge.condition) for edge in workflow.edges if not edge.loop_back]


def branch_routes(branches: Sequence[Branch], condition: str, target: str) -> tuple[str, ...]:
    """The keys of the branches that an edge's condition means.

    Labels and targets may coincide, and branches may share a label: a branch that leads where the edge leads is meant
    before all others.
    """
    named = [branch for branch in branches if condition == branch.key or condition in branch.names]
    own = [branch for branch in named if branch.target == target]
    return tuple(branch.key for branch in own or named)


def _edges(workflow: Workflow, types: dict[str, type[NodeType]]) -> list[PlanEdge]:
    configs = {node.id: node.config for node in workflow.nodes}
    routes: dict[tuple[str, str], list[str]] = {}

    def add(source: str, target: str, names: tuple[str, ...]) -> None:
        known = routes.setdefault((source, target), [])
        known += [name for name in names if name not in known]

    branches = {node_id: list(types[node_id].branches(configs[node_id])) for node_id in types}
    for source, target, condition in written_edges(workflow):
        if condition in (SUCCESS, ERROR):
            add(source, target, (condition,))
        elif condition is not None:
            add(source, target, branch_routes(branches[source], condition, target))
        else:
            # A bare edge to the target of a branch is that branch's edge.
            own = tuple(branch.key for branch in branches[source] if branch.target == target)
            add(source, target, own or (SUCCESS,))
    for source, ways in branches.items():
        for branch in ways:
            if branch.target is not None and branch.target in types:
                add(source, branch.target, (branch.key,))
    incoming = Counter(target for _, target in routes)
    has_error_edge = {source for (source, _), names in routes.items() if ERROR in names}

    triggers = {node_id for node_id, node_type in types.items() if node_type.is_trigger}
    # Of several triggers one fires, and what the others lead to must not be skipped where it has that way in.
    may_be_skipped = has_error_edge | (triggers if len(triggers) > 1 else set())

    def gate(source: str, target: str, names: list[str]) -> str | None:
        always = names == [SUCCESS] and source not in may_be_skipped
        return None if always or incoming[target] == 1 else f"{source}.{target}"

    return [
        PlanEdge(source, target, tuple(names), gate(source, target, names))
        for (source, target), names in routes.items()
    ]


def _plan_node(
    node: Node,
    node_type: type[NodeType],
    workflow: Workflow,
    place: Place,
    *,
    is_read: bool,
) -> PlanNode:
    reads: set[str] = set()
    if is_read:
        reads |= {read for _, read in node_type.reads(node.config, place)}
        for expression in expressions_of(node, node_type):
            reads |= set(place.before if expression.reads.dynamic_nodes else expression.reads.nodes)
    retry, on_error = _error_handling(node, node_type, workflow.error_handling)
    return PlanNode(
        id=node.id,
        type=node.type,
        name=node.name or node.id,
        config=node.config,
        effect=node_type.effect,
        is_trigger=node_type.is_trigger,
        join=len(place.sources) > 1,
        retry=retry,
        on_error=on_error,
        reads=tuple(sorted(reads)),
        context_from=tuple(place.before),
    )


def _error_handling(
    node: Node, node_type: type[NodeType], workflow: ErrorHandling
) -> tuple[Retry, Literal["fail", "continue"]]:
    """The node's own words weigh more than its config's options, those more than the workflow's defaults."""
    own = node.error_handling or ErrorHandling()
    option = node_type.retry_override(node.config)
    default = node_type.default_retry
    retry = Retry(
        # A config may hold a number as text.
        count=int(_first(own.retry_count, option.count, workflow.retry_count, default.count)),
        delay_seconds=float(
            _first(
                _seconds(own.retry_delay),
                option.delay_seconds,
                _seconds(workflow.retry_delay),
                default.delay_seconds,
            )
        ),
        exponential=_first(
            _exponential(own), option.exponential, _exponential(workflow), default.exponential
        ),
    )
    return retry, _first(own.on_error, option.on_error, workflow.on_error, "fail")


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _exponential(handling: ErrorHandling) -> bool | None:
    return None if handling.retry_backoff is None else handling.retry_backoff == "exponential"
