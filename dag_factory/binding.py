"""What ties an operator in a rendered DAG to its workflow."""

from __future__ import annotations

from dataclasses import dataclass

from dag_factory.plan import Plan, PlanEdge, PlanNode


@dataclass(frozen=True)
class Binding:
    """One node of one version of one tenant's workflow."""

    tenant_id: str
    version: int
    plan: Plan
    node: PlanNode

    @property
    def edges_out(self) -> list[PlanEdge]:
        """The edges that leave the node."""
        return self.plan.edges_from(self.node.id)
