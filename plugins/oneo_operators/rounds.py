"""The rounds of a loop: its body, run again and again, each time in a state of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dag_factory.plan import BREAK, SUCCESS, Body, PlanNode
from oneo.expressions import Scope
from oneo_operators.execution import ExecutionState, scope_for
from oneo_operators.flow_runner import Broken, FlowEnd, FlowRunner
from oneo_operators.left import OUTPUTS, Left, together

if TYPE_CHECKING:
    from oneo_operators.runtime import Runtime


class Rounds:
    """Runs the body of one loop node.

    Args:
        node: The loop node.
        body: What it repeats.
        state: The state the loop node runs in.
        runtime: What all nodes of the task share.
        now: The loop node's moment.

    Attributes:
        left: Where the loop carries its state on: what the rounds so far left, for those after and for what follows.
    """

    def __init__(
        self, node: PlanNode, body: Body, state: ExecutionState, runtime: Runtime, *, now: datetime
    ) -> None:
        self._node = node
        self._state = state
        self._runtime = runtime
        self._now = now
        self.body = body
        self.left: Left = {}

    @property
    def owner(self) -> str:
        """Id of the loop node."""
        return self._node.id

    async def run(self, index: int, names: Mapping[str, Any]) -> FlowEnd:
        """Run the body once.

        Args:
            index: Number of the round, from 0; with it, what an earlier run of the task did is found again.
            names: What expressions in the body see beside the rest.
        """
        state = self._state.inside(self.body, index, names)
        if self.body.carries:
            state.context[self._node.id] = self.left
        end = await FlowRunner(self.body, state, self._runtime).run()
        if self.body.carries and end.until is None and not (end.broken and end.broken.cleanup):
            self._carry(state)
        return end

    def _carry(self, state: ExecutionState) -> None:
        lefts = [state.context[node.id] for node in self.body.nodes if node.id in state.context]
        found = {one: state.outputs[one] for one in self.body.exports if one in state.outputs}
        self.left = together([self.left, *lefts, {OUTPUTS: found} if found else {}])

    def scope(self, names: Mapping[str, Any]) -> Scope:
        """The names the loop node sees between two rounds.

        Args:
            names: What expressions in the next round would see beside the rest.
        """
        state = replace(
            self._state,
            context={**self._state.context, self._node.id: self.left},
            names={**self._state.names, **names},
        )
        node = replace(self._node, context_from=(*self._node.context_from, self._node.id))
        runtime = self._runtime
        return scope_for(
            state,
            node,
            runtime.database,
            runtime.vault,
            now=self._now,
            seed=f"{state.id}/{node.id}{state.loop_index}",
        )


def routes_after(broken: Broken | None, owner: str, output: dict[str, Any]) -> tuple[str, ...]:
    """The ways out of a loop node whose rounds have ended.

    Args:
        broken: The loop that a breaker has ended, if one has.
        owner: The loop node.
        output: The loop node's output; says so where the loop that ended is one further out.
    """
    if broken is None or broken.loop == owner:
        return (SUCCESS,)
    output |= {"breaks": broken.loop, "reason": broken.reason, "cleanup": broken.cleanup}
    return (BREAK,)
