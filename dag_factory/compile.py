"""From a checked definition to its plan: a pure function, no clock, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dag_factory.catalogue import Branch, Catalogue, LoopSpec, NodeType, Place
from dag_factory.config import expressions_of
from dag_factory.definition import Node, Workflow
from dag_factory.error_handling import error_handling
from dag_factory.loops import Loop, Loops, find_loops
from dag_factory.order import Order
from dag_factory.plan import ERROR, SUCCESS, Body, Plan, PlanEdge, PlanNode
from dag_factory.written import Written
from oneo.expressions import compile_template, templates_in

# How many runs of a workflow may be open at once where its author says nothing. Most of those that wait are at rest.
MOST_AT_WORK = 16
MOST_AT_REST = 1000


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
    specs = loop_specs(workflow, types)
    named = [
        edge
        for node in workflow.nodes
        for edge in branch_edges(node.id, types[node.id].branches(node.config), "")
    ]
    loops = find_loops(workflow, specs, named)
    routes = _routes(workflow, types, loops)
    order = Order([node.id for node in workflow.nodes], list(routes), loops)
    making = _Making(workflow, types, loops, order, routes, only)
    nodes = making.nodes(None)
    schedules = [types[node.id].schedule(node.config) for node in nodes if node.is_trigger]
    schedule = next((found for found in schedules if found is not None), None)
    limit = schedule.max_active_runs if schedule else None
    limit = limit or workflow.settings.max_active_runs
    return Plan(
        workflow_id=workflow.key,
        name=workflow.name,
        description=workflow.description,
        definition_hash=definition_hash,
        nodes=nodes,
        edges=making.edges(None),
        variables={
            name: variable.model_dump(exclude_none=True, exclude_defaults=True)
            for name, variable in workflow.variables.items()
        },
        outputs={
            name: {"value": output.value, "type": output.type} for name, output in workflow.outputs.items()
        },
        schedule=schedule,
        timezone=workflow.settings.timezone,
        max_active_runs=limit or (MOST_AT_REST if any(node.waits for node in nodes) else MOST_AT_WORK),
        timeout_minutes=workflow.settings.timeout_minutes,
        granularity=workflow.settings.granularity,
        tags=tuple(workflow.settings.tags),
        error_workflow=workflow.settings.error_workflow,
    )


def _type_of(node: Node, catalogue: Catalogue) -> type[NodeType]:
    found = catalogue.get(node.type)
    if found is None:
        raise KeyError(f"node type {node.type!r} is not in the catalogue")
    return found


def loop_specs(workflow: Workflow, types: Mapping[str, type[NodeType]]) -> dict[str, LoopSpec]:
    """By the id of each loop node whose type is known, what its config says about its loop."""
    found = {node.id: types[node.id].loop(node.config) for node in workflow.nodes if node.id in types}
    # Of a missing type only the drawing tells that it is a loop.
    drawn = {edge.source for edge in workflow.edges or () if edge.loop}
    drawn = {node_id for node_id in drawn & types.keys() if types[node_id].is_missing}
    known = {node_id: spec for node_id, spec in found.items() if spec is not None}
    return known | dict.fromkeys(drawn, LoopSpec(carries=False))


def branch_edges(node_id: str, branches: Sequence[Branch], at: str) -> list[Written]:
    """The ways from a node that its branches name by themselves, whether an edge says so too or not.

    Args:
        node_id: The node.
        branches: Its branches.
        at: JSON path of its config.
    """
    return [
        Written(node_id, branch.target, None, at + branch.path)
        for branch in branches
        if branch.target is not None
    ]


def branch_routes(branches: Sequence[Branch], condition: str, target: str) -> tuple[str, ...]:
    """The keys of the branches that an edge's condition means.

    Labels and targets may coincide, and branches may share a label: a branch that leads where the edge leads is meant
    before all others.
    """
    named = [branch for branch in branches if condition == branch.key or condition in branch.names]
    own = [branch for branch in named if branch.target == target]
    return tuple(branch.key for branch in own or named)


Routes = dict[tuple[str, str], list[str]]


def _routes(workflow: Workflow, types: dict[str, type[NodeType]], loops: Loops) -> Routes:
    """For each (source, target) that orders nodes, the routes that lead there."""
    configs = {node.id: node.config for node in workflow.nodes}
    routes: Routes = {}

    def add(source: str, target: str, names: tuple[str, ...]) -> None:
        known = routes.setdefault((source, target), [])
        known += [name for name in names if name not in known]

    branches = {node_id: list(types[node_id].branches(configs[node_id])) for node_id in types}
    for edge in (*loops.edges, *loops.returns):
        source, target, condition = edge.source, edge.target, edge.condition
        if condition == ERROR:
            add(source, target, (ERROR,))
        elif condition in (None, SUCCESS) or source in loops.by_owner:
            # A bare edge to the target of a branch is that branch's edge.
            own = tuple(branch.key for branch in branches[source] if branch.target == target)
            add(source, target, (own if condition is None else ()) or (SUCCESS,))
        else:
            add(source, target, branch_routes(branches[source], str(condition), target))
    for source, ways in branches.items():
        for branch in ways:
            if branch.target is not None and branch.target in types:
                add(source, branch.target, (branch.key,))
    for source, loop in loops.by_owner.items():
        if loop.spec.exit_target in types and loop.spec.exit_target is not None:
            add(source, loop.spec.exit_target, (SUCCESS,))
    return routes


class _Making:
    """The nodes and edges of a plan in the making, level by level."""

    def __init__(
        self,
        workflow: Workflow,
        types: dict[str, type[NodeType]],
        loops: Loops,
        order: Order,
        routes: Routes,
        only: str | None,
    ) -> None:
        self._workflow = workflow
        self._types = types
        self._loops = loops
        self._order = order
        self._routes = routes
        self._by_id = {node.id: node for node in workflow.nodes}
        self._type_names = {node.id: node.type for node in workflow.nodes}
        # Whoever runs a loop runs its body, and keeps what others read of it: that is all of them, then.
        self._only = None if only in loops.by_owner else only
        self._reads = {node.id: self._read_by(node) for node in workflow.nodes}
        self._read_at_end = self._read_by_outputs()

    def edges(self, level: str | None) -> tuple[PlanEdge, ...]:
        """The edges of a level."""
        found: Routes = {}
        for (source, target), names in self._routes.items():
            if self._loops.level(source) != level:
                continue
            lifted = self._loops.lifted(target, level)
            known = found.setdefault((source, lifted), [])
            known += [name for name in names if name not in known]
        incoming = Counter(target for _, target in found)
        has_error_edge = {source for (source, _), names in found.items() if ERROR in names}
        triggers = {node_id for node_id, node_type in self._types.items() if node_type.is_trigger}
        # Of several triggers one fires, and what the others lead to must not be skipped where it has that way in.
        may_be_skipped = has_error_edge | (triggers if len(triggers) > 1 else set())

        def gate(source: str, target: str, names: list[str]) -> str | None:
            always = names == [SUCCESS] and source not in may_be_skipped
            return None if level or always or incoming[target] == 1 else f"{source}.{target}"

        return tuple(
            PlanEdge(source, target, tuple(names), gate(source, target, names))
            for (source, target), names in found.items()
        )

    def nodes(self, level: str | None) -> tuple[PlanNode, ...]:
        """The nodes of a level, loops with their bodies."""
        return tuple(self._node(node_id) for node_id in self._order.nodes(level))

    def _node(self, node_id: str) -> PlanNode:
        node, node_type = self._by_id[node_id], self._types[node_id]
        loop = self._loops.by_owner.get(node_id)
        reads = set(self._reads[node_id])
        if loop is not None:
            inner = {read for one in loop.body for read in self._reads[one]}
            reads |= inner.intersection(self._order.visible(node_id)) - loop.body
        body = self._body(loop) if loop is not None and loop.entries else None
        retry, on_error = error_handling(node, node_type, self._workflow.error_handling)
        return PlanNode(
            id=node.id,
            type=node.type,
            name=node.name or node.id,
            config=node.config,
            effect=node_type.effect,
            is_trigger=node_type.is_trigger,
            join=len(self._order.sources[node_id]) > 1,
            retry=retry,
            on_error="continue" if on_error == "continue" else "fail",
            reads=tuple(sorted(reads)),
            context_from=tuple(self._order.context_from(node_id)),
            body=body,
            breaks=broken_loop(node, node_type, self._loops),
            waits=node_type.waits or (body is not None and body.waits),
        )

    def _body(self, loop: Loop) -> Body:
        inside = loop.body
        exports = {
            read
            for node_id, reads in self._reads.items()
            for read in reads
            if read in inside and (node_id not in inside or read not in self._order.before[node_id])
        }
        exports |= self._read_at_end & inside
        return Body(
            nodes=self.nodes(loop.owner),
            edges=self.edges(loop.owner),
            entries=tuple(self._loops.lifted(entry, loop.owner) for entry in loop.entries),
            tail=loop.tail,
            carries=loop.spec.carries,
            exports=tuple(sorted(exports)) if loop.spec.carries else (),
        )

    def _read_by(self, node: Node) -> set[str]:
        """The nodes whose outputs a node reads."""
        if self._only not in (None, node.id):
            return set()
        node_type = self._types[node.id]
        visible = self._order.visible(node.id)
        place = Place(self._order.sources[node.id], visible, self._type_names)
        reads = {read for _, read in node_type.reads(node.config, place)}
        for expression in expressions_of(node, node_type):
            reads |= set(visible if expression.reads.dynamic_nodes else expression.reads.nodes)
        return reads

    def _read_by_outputs(self) -> set[str]:
        """The nodes whose outputs the workflow's own outputs read."""
        if self._only is not None:
            return set()
        found: set[str] = set()
        for output in self._workflow.outputs.values():
            for _, source in templates_in(output.value):
                reads = compile_template(source).reads
                found |= set(self._order.visible_at_end() if reads.dynamic_nodes else reads.nodes)
        return found


def broken_loop(node: Node, node_type: type[NodeType], loops: Loops) -> str | None:
    """The loop node whose loop a breaker ends; None where no loop around it answers to the name."""
    name = node_type.breaks(node.config)
    if name is None:
        return None
    around = loops.around.get(node.id, ())
    return next(
        (owner for owner in around if not name or name == owner or name in loops.by_owner[owner].spec.names),
        None,
    )
