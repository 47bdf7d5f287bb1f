"""Runs a plan in this process: the same nodes and rules as in Airflow, without it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dag_factory.plan import SUCCESS, Plan, PlanNode, taken
from oneo.errors import ConfigError, NodeError
from oneo_operators.attempt import NodeAttempt, Outcome
from oneo_operators.base import NodeOperator
from oneo_operators.retry import delay_before

if TYPE_CHECKING:
    from oneo.database import Database
    from oneo_operators.catalogue import NodeCatalogue
    from oneo_operators.execution import ExecutionState
    from oneo_operators.services import Vault


# Each node at work may hold a connection of the store; below the pool's size none waits for one in vain.
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Ended:
    """How a node ended: the routes it took (none where it was skipped), or that it failed for good."""

    routes: tuple[str, ...] = ()
    failed: bool = False


class PlanRunner:
    """Runs every node of an acyclic plan once its sources have ended, side by side where the plan allows it.

    Args:
        plan: The plan.
        state: The execution, begun.
        catalogue: The node types.
        database: The store.
        vault: Secrets and connections.
    """

    def __init__(
        self, plan: Plan, state: ExecutionState, catalogue: NodeCatalogue, database: Database, vault: Vault
    ) -> None:
        self.plan = plan
        self.state = state
        self.catalogue = catalogue
        self.database = database
        self.vault = vault
        self._ended: dict[str, asyncio.Task[Ended]] = {}
        self._places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def run(self) -> str:
        """Run the plan; returns `success` or `failed`.

        Raises:
            ConfigError: A node type is not installed; nothing ran.
            OneoError: The store does not answer any more; the nodes at work were stopped.
        """
        operators = {node.id: self._operator(node) for node in self.plan.nodes}
        try:
            async with asyncio.TaskGroup() as group:
                # Topological order: the tasks a node waits for are there before it.
                for node in self.plan.nodes:
                    self._ended[node.id] = group.create_task(self._node(node, operators[node.id]))
        except ExceptionGroup as failures:
            # The first stopped all others; those that waited for it repeat it.
            raise failures.exceptions[0] from None
        return "failed" if any(task.result().failed for task in self._ended.values()) else "success"

    def _operator(self, node: PlanNode) -> NodeOperator:
        operator_type = self.catalogue.get(node.type)
        if operator_type is None:
            broken = self.catalogue.broken.get(node.type)
            reason = f": {broken.source}: {broken.error}" if broken else ""
            raise ConfigError(
                f"node type {node.type!r} of node {node.id!r} is not installed{reason}",
                broken.hint if broken else "install the package that brings it",
            )
        return operator_type(task_id=node.id, config=node.config)

    async def _node(self, node: PlanNode, operator: NodeOperator) -> Ended:
        if node.is_trigger:
            return Ended((SUCCESS,) if node.id == self.state.trigger_node else ())
        incoming = self.plan.edges_to(node.id)
        sources = {edge.source: await self._ended[edge.source] for edge in incoming}
        if any(ended.failed for ended in sources.values()):
            return Ended(failed=True)
        if incoming and not any(taken(edge, sources[edge.source].routes) for edge in incoming):
            return Ended()
        outcome = await self._attempts(node, operator)
        if outcome.output is not None:
            self.state.outputs[node.id] = outcome.output
        if outcome.context_updates:
            self.state.context[node.id] = outcome.context_updates
        return Ended(outcome.routes, failed=not outcome.routes)

    async def _attempts(self, node: PlanNode, operator: NodeOperator) -> Outcome:
        failures = 0
        while True:
            attempt = NodeAttempt(operator, node, self.state, self.database, self.vault)

            def may_retry(error: NodeError, failures: int = failures) -> bool:
                return error.retryable and failures < node.retry.count

            async with self._places:
                outcome = await attempt.run(may_retry=may_retry)
            if outcome.error is None or not may_retry(outcome.error):
                return outcome
            failures += 1
            await asyncio.sleep(delay_before(node.retry, failures, outcome.error))
