"""Runs the nodes of a flow in this process, each once its sources have ended, side by side where the flow allows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dag_factory.plan import BREAK, SUCCESS, Body, Flow, PlanNode, taken
from oneo.errors import NodeError
from oneo.store.dag_runs import TIMED_OUT
from oneo_operators.attempt import NodeAttempt
from oneo_operators.left import OUTPUTS
from oneo_operators.outcome import Outcome
from oneo_operators.retry import delay_before

if TYPE_CHECKING:
    from oneo_operators.execution import ExecutionState
    from oneo_operators.runtime import Runtime


@dataclass(frozen=True)
class Failure:
    """A node that failed for good."""

    node: str
    error: NodeError


@dataclass(frozen=True)
class Broken:
    """A loop that a breaker has ended.

    Attributes:
        loop: Id of the loop node.
        cleanup: Whether what the last round left is dropped.
    """

    loop: str
    reason: str
    cleanup: bool


@dataclass(frozen=True)
class FlowEnd:
    """How a flow ended.

    Attributes:
        output: What the last node gave; by node id where several ends were reached.
        failure: The first failure that nothing handled.
        broken: Which loop a breaker has ended.
        timed_out: Whether it was stopped, since it took too long.
        until: When to run it again, where nodes of it wait; then it has not ended, whatever else is said here.
    """

    output: Any = None
    failure: Failure | None = None
    broken: Broken | None = None
    timed_out: bool = False
    until: datetime | None = None

    @property
    def status(self) -> str:
        """`success`, `failed`, `waiting` or `timed_out`."""
        if self.until is not None:
            return "waiting"
        if self.timed_out:
            return TIMED_OUT
        return "success" if self.failure is None else "failed"


@dataclass(frozen=True)
class _Ended:
    """How a node ended: the routes it took (none where it was skipped), or that nothing can follow it (yet)."""

    routes: tuple[str, ...] = ()
    failed: bool = False
    waits: bool = False


_SKIPPED = _Ended()
_WAITS = _Ended(waits=True)


class FlowRunner:
    """Runs a flow once.

    Args:
        flow: The nodes of a plan, or of a loop's body.
        state: The execution, as this flow sees it.
        runtime: What all nodes of the task share.
    """

    def __init__(self, flow: Flow, state: ExecutionState, runtime: Runtime) -> None:
        self._flow = flow
        self._state = state
        self._runtime = runtime
        self._entries = frozenset(flow.entries) if isinstance(flow, Body) else frozenset()
        self._ended: dict[str, asyncio.Task[_Ended]] = {}
        self._outputs: dict[str, Any] = {}
        self._failure: Failure | None = None
        self._broken: Broken | None = None
        self._until: datetime | None = None

    async def run(self) -> FlowEnd:
        """Run the flow.

        Raises:
            OneoError: The store does not answer any more, or a node type is missing; the nodes at work were stopped.
        """
        if self._flow.is_chain:
            before = _SKIPPED
            for index, node in enumerate(self._flow.nodes):
                before = await self._node(node, [before] if index else [])
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    # Topological order: the tasks a node waits for are there before it.
                    for node in self._flow.nodes:
                        self._ended[node.id] = group.create_task(self._when_ready(node))
            except ExceptionGroup as failures:
                # The first stopped all others; those that waited for it repeat it.
                raise failures.exceptions[0] from None
        return FlowEnd(self._output(), self._failure, self._broken, until=self._until)

    def _output(self) -> Any:
        ends = {node.id: self._outputs[node.id] for node in self._flow.ends if node.id in self._outputs}
        if not ends:
            reached = (node.id for node in reversed(self._flow.nodes) if node.id in self._outputs)
            return self._outputs.get(next(reached, ""))
        return next(iter(ends.values())) if len(ends) == 1 else ends

    async def _when_ready(self, node: PlanNode) -> _Ended:
        sources = [await self._ended[edge.source] for edge in self._flow.edges_to(node.id)]
        return await self._node(node, sources)

    async def _node(self, node: PlanNode, sources: list[_Ended]) -> _Ended:
        if node.is_trigger:
            return _Ended((SUCCESS,)) if node.id == self._state.trigger_node else _SKIPPED
        if any(ended.failed for ended in sources):
            return _Ended(failed=True)
        if any(ended.waits for ended in sources):
            return _WAITS
        ways = [
            taken(edge, ended.routes)
            for edge, ended in zip(self._flow.edges_to(node.id), sources, strict=True)
        ]
        if self._broken or (ways and not any(ways) and node.id not in self._entries):
            return _SKIPPED
        outcome = await self._attempts(node)
        if outcome.until is not None:
            self._until = min(outcome.until, self._until or outcome.until)
            return _WAITS
        if outcome.output is not None:
            self._outputs[node.id] = self._state.outputs[node.id] = outcome.output
        if outcome.context_updates:
            self._state.context[node.id] = outcome.context_updates
            self._state.outputs.update(outcome.context_updates.get(OUTPUTS, {}))
        if BREAK in outcome.routes:
            self._break(outcome.output)
        if not outcome.routes and self._failure is None and outcome.error is not None:
            self._failure = Failure(node.id, outcome.error)
        return _Ended(outcome.routes, failed=not outcome.routes)

    def _break(self, output: Mapping[str, Any]) -> None:
        if self._broken is None:
            self._broken = Broken(output["breaks"], output["reason"], bool(output.get("cleanup")))

    async def _attempts(self, node: PlanNode) -> Outcome:
        failures = 0
        runtime = self._runtime
        while True:
            attempt = NodeAttempt(
                runtime.operator(node), node, self._state, runtime.database, runtime.vault, runtime
            )

            def may_retry(error: NodeError, failures: int = failures) -> bool:
                return error.retryable and failures < node.retry.count

            if node.body is not None:
                # A loop only waits for its body, whose nodes need the places.
                outcome = await attempt.run(may_retry=may_retry)
            else:
                async with runtime.places:
                    outcome = await attempt.run(may_retry=may_retry)
            if outcome.error is None or outcome.replayed or not may_retry(outcome.error):
                return outcome
            failures += 1
            await asyncio.sleep(delay_before(node.retry, failures, outcome.error))
