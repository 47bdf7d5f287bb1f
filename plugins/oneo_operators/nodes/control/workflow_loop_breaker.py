"""Leaving a loop early."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.plan import BREAK
from oneo.errors import ConfigError, ExpressionError
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult


class BreakCondition(NodeConfig):
    """One reason to leave."""

    condition: str = Field(description="Leave where this holds: `{{context.attempts}} > 3`.")
    reason: str = Field(default="condition_met", description="What the loop's `exit_reason` then says.")


class WorkflowLoopBreakerConfig(NodeConfig):
    """Which loop to leave, and when."""

    loop_key: str | None = Field(
        default=None,
        description="The loop's `loop_key` or node id; default: the innermost loop around this node.",
    )
    break_conditions: list[BreakCondition] = Field(
        default_factory=list, description="The loop ends at the first that holds; without any it always ends."
    )
    cleanup_on_break: bool = Field(
        default=False, description="Drop what this round has put into context and variables so far."
    )


class WorkflowLoopBreakerOperator(NodeOperator):
    """Ends a loop around it."""

    type: ClassVar[str] = "workflow_loop_breaker"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = (
        "Ends the loop it stands in, or one further out, where a condition holds: the rest of the round is skipped, no "
        "further round begins, and the workflow goes on behind the loop."
    )
    Config = WorkflowLoopBreakerConfig
    ui_color = "#fef9c3"

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """Conditions are evaluated one by one."""
        return frozenset({"break_conditions"})

    @classmethod
    def conditions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Every condition."""
        listed = config.get("break_conditions")
        for index, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, dict) and isinstance(one.get("condition"), str):
                yield f".break_conditions[{index}].condition", one["condition"]

    @classmethod
    def breaks(cls, config: Mapping[str, Any]) -> str | None:
        """What the loop is called."""
        name = config.get("loop_key")
        return name if isinstance(name, str) else ""

    async def run(self, config: WorkflowLoopBreakerConfig, context: NodeContext) -> NodeResult:
        """Look at the conditions; the output says whether the loop ends, and why."""
        for index, one in enumerate(config.break_conditions):
            try:
                holds = context.holds(one.condition)
            except ExpressionError as error:
                message = f"config.break_conditions[{index}].condition: {error.message} in {one.condition!r}"
                raise ConfigError(message, error.hint) from error
            if holds:
                return self._broken(one.reason, config, context)
        if not config.break_conditions:
            return self._broken("break", config, context)
        return NodeResult({"broke": False})

    def _broken(self, reason: str, config: WorkflowLoopBreakerConfig, context: NodeContext) -> NodeResult:
        output = {
            "broke": True,
            "breaks": context.breaks,
            "reason": reason,
            "cleanup": config.cleanup_on_break,
        }
        return NodeResult(output, routes=(BREAK,))
