"""Runs a plan in this process: the same nodes and rules as in Airflow, without it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dag_factory.plan import Flow, Plan, PlanNode
from oneo_operators.flow_runner import FlowEnd, FlowRunner
from oneo_operators.journal import Journal
from oneo_operators.runtime import Runtime

if TYPE_CHECKING:
    from oneo.database import Database
    from oneo_operators.catalogue import NodeCatalogue
    from oneo_operators.execution import ExecutionState
    from oneo_operators.services import Vault


class PlanRunner:
    """Runs every node of a plan.

    Args:
        plan: The plan.
        state: The execution, begun.
        catalogue: The node types.
        database: The store.
        vault: Secrets and connections.
        places: How many nodes may be at work at once, where others count as well.
        timeout_seconds: How long it may take; by default as long as the plan says.
    """

    def __init__(
        self,
        plan: Plan,
        state: ExecutionState,
        catalogue: NodeCatalogue,
        database: Database,
        vault: Vault,
        *,
        places: asyncio.Semaphore | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        self._plan = plan
        if timeout_seconds is None and plan.timeout_minutes is not None:
            timeout_seconds = plan.timeout_minutes * 60
        self._timeout_seconds = timeout_seconds
        self._state = state
        journal = Journal(database, state.tenant_id)
        self._runtime = Runtime(catalogue, database, vault, journal)
        if places is not None:
            self._runtime.places = places

    async def run(self) -> FlowEnd:
        """Run the plan; what an earlier run of it did is not repeated.

        Raises:
            ConfigError: A node type is not installed; nothing ran.
            OneoError: The store does not answer any more; the nodes at work were stopped.
        """
        nodes = list(all_nodes(self._plan))
        for node in nodes:
            self._runtime.operator(node)
        journal, state = self._runtime.journal, self._state
        deadline = self._deadline()
        if deadline is not None and deadline <= datetime.now(UTC):
            return FlowEnd(timed_out=True)
        with self._runtime.database.tenant(state.tenant_id) as session:
            journal.recall(session, state.id, [node.id for node in nodes], failures=state.goes_on)
        limit = asyncio.timeout((deadline - datetime.now(UTC)).total_seconds() if deadline else None)
        try:
            async with limit:
                end = await FlowRunner(self._plan, state, self._runtime).run()
        except TimeoutError:
            if not limit.expired():
                raise
            return FlowEnd(timed_out=True)
        finally:
            journal.flush()
        if deadline is not None and end.until is not None:
            return replace(end, until=min(end.until, deadline))
        return end

    def _deadline(self) -> datetime | None:
        if self._timeout_seconds is None:
            return None
        # What is taken up again counts from its beginning, what is tried once more from now.
        since = self._state.started_at if self._state.goes_on else datetime.now(UTC)
        return since + timedelta(seconds=self._timeout_seconds)


def ids_inside(node: PlanNode) -> list[str]:
    """Ids of the nodes in a loop's body, those of inner loops included."""
    return [inner.id for inner in all_nodes(node.body)] if node.body else []


def all_nodes(flow: Flow) -> Iterator[PlanNode]:
    """The nodes of a flow and of all loops in it."""
    for node in flow.nodes:
        yield node
        if node.body is not None:
            yield from all_nodes(node.body)
