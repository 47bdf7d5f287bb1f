"""The plan: a definition made explicit, as plain data between parsing and Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from dag_factory.catalogue import Retry, Schedule

# Route names every node has; a branching node's own branches come beside them.
SUCCESS = "success"
ERROR = "error"
# The way out of a node that ends a loop around it.
BREAK = "break"


@dataclass(frozen=True)
class PlanEdge:
    """The target may run once the source took one of the routes.

    Attributes:
        routes: Route names, any of which takes the edge; `("success",)` for a plain edge.
        gate: Id of the gate task on the edge, where the target has other ways in: skipping the gate
            then leaves the target to them.
    """

    source: str
    target: str
    routes: tuple[str, ...]
    gate: str | None


@dataclass(frozen=True)
class PlanNode:
    """One node with everything decided.

    Attributes:
        join: Whether the node waits for several edges and runs when at least one of them is taken.
        reads: Ids of nodes whose outputs it reads, in expressions or otherwise.
        context_from: Ids of nodes whose context updates it sees: those that may run before it. Inside a loop that
            carries its state on, the loop's own id stands for what earlier rounds left.
        body: For loop nodes: what is repeated.
        breaks: For loop breakers: the loop node whose loop they end.
        waits: Whether it may go to rest until something has happened; a loop does where a node in its body does.
    """

    id: str
    type: str
    name: str
    config: Mapping[str, Any]
    effect: str
    is_trigger: bool
    join: bool
    retry: Retry
    on_error: Literal["fail", "continue"]
    reads: tuple[str, ...]
    context_from: tuple[str, ...]
    body: Body | None
    breaks: str | None
    waits: bool


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Nodes and what leads from one to another, without cycles.

    Attributes:
        nodes: In topological order; loops stand as one node.
        edges: Between these nodes; those of a body may also lead back to its loop node.
    """

    nodes: tuple[PlanNode, ...]
    edges: tuple[PlanEdge, ...]

    @cached_property
    def by_id(self) -> dict[str, PlanNode]:
        """The nodes by id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def types(self) -> dict[str, str]:
        """Node types by node id, those inside loops included."""
        found: dict[str, str] = {}
        for node in self.nodes:
            found |= {node.id: node.type, **(node.body.types if node.body else {})}
        return found

    @cached_property
    def inside(self) -> dict[str, frozenset[str]]:
        """For each loop node, the nodes it repeats, those of inner loops included."""
        found: dict[str, frozenset[str]] = {}
        for node in self.nodes:
            if node.body is not None:
                found |= {node.id: frozenset(node.body.types), **node.body.inside}
        return found

    @cached_property
    def waits(self) -> bool:
        """Whether any of the nodes may go to rest until something has happened."""
        return any(node.waits for node in self.nodes)

    @property
    def triggers(self) -> list[PlanNode]:
        """The trigger nodes."""
        return [node for node in self.nodes if node.is_trigger]

    def edges_from(self, node_id: str) -> list[PlanEdge]:
        """The edges out of a node."""
        return [edge for edge in self.edges if edge.source == node_id]

    def edges_to(self, node_id: str) -> list[PlanEdge]:
        """The edges into a node."""
        return [edge for edge in self.edges if edge.target == node_id]

    @cached_property
    def is_chain(self) -> bool:
        """Whether each node but the first follows the one before it, and that one only."""
        pairs = [(edge.source, edge.target) for edge in self.edges]
        return pairs == [(one.id, other.id) for one, other in pairwise(self.nodes)]

    @property
    def ends(self) -> list[PlanNode]:
        """The nodes nothing follows; edges from a body back to its loop node lead to none of its nodes."""
        sources = {edge.source for edge in self.edges if edge.target in self.by_id}
        return [node for node in self.nodes if node.id not in sources]


@dataclass(frozen=True, kw_only=True)
class Body(Flow):
    """What a loop repeats.

    Attributes:
        entries: The nodes every round begins with, whatever else leads to them.
        tail: Whether a round runs before the loop node is asked for the first time.
        carries: Whether a round sees what the one before left.
        exports: Nodes inside whose last outputs are read by nodes that do not follow them in the same round.
    """

    entries: tuple[str, ...]
    tail: bool
    carries: bool
    exports: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan(Flow):
    """A workflow ready to be rendered or run.

    Attributes:
        outputs: For each named result, its `value` with expressions and its `type`; empty where the last node gives it.
        schedule: When Airflow starts it by the clock; None where only events and people do.
        error_workflow: What runs after a failed execution, where the workflow says so itself; `none` for nothing.
    """

    workflow_id: str
    name: str
    description: str
    definition_hash: str
    variables: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    schedule: Schedule | None
    timezone: str | None
    max_active_runs: int
    timeout_minutes: int | None
    granularity: Literal["node", "fused"]
    tags: tuple[str, ...]
    error_workflow: str | None

    def as_json(self) -> dict[str, Any]:
        """The plan as `oneo plan` prints it and golden files keep it."""
        return asdict(self)


def taken(edge: PlanEdge, routes: tuple[str, ...]) -> bool:
    """Whether a source that took `routes` takes the edge."""
    return any(route in edge.routes for route in routes)
