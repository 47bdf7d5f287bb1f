"""What ties an operator in a rendered DAG to its workflow."""

from __future__ import annotations

from dataclasses import dataclass

from dag_factory.plan import Plan, PlanEdge, PlanNode


@dataclass(frozen=True)
class Published:
    """One version of one tenant's workflow."""

    tenant_id: str
    version: int
    plan: Plan


@dataclass(frozen=True)
class Binding(Published):
    """One node of it."""

    node: PlanNode

    @property
    def edges_out(self) -> list[PlanEdge]:
        """The edges that leave the node."""
        return self.plan.edges_from(self.node.id)
