"""A published building block, run as a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import Call, Effect
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.calling import Wanted
from oneo_operators.context import NodeContext
from oneo_operators.nodes.workflow._calling import call_in
from oneo_operators.redact import redact
from oneo_operators.result import NodeResult, Wait


class ReusableWorkflowConfig(NodeConfig):
    """Which block, and what goes in."""

    workflow_id: str = Field(
        min_length=1, description="Id of a published workflow with `variables` and `outputs`."
    )
    version: int | None = Field(
        default=None, ge=1, description="Which version; default: the newest when the node runs."
    )
    inputs: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of its variables by name. Names and types are checked when this workflow is published "
        "and when the node runs.",
    )


class ReusableWorkflowOperator(NodeOperator):
    """Run a building block."""

    type: ClassVar[str] = "reusable_workflow"
    category: ClassVar[str] = "workflow_management"
    description: ClassVar[str] = (
        "Runs a published workflow as a building block: it gets `inputs` and nothing else, and the node's output "
        "holds the `outputs` that it declares."
    )
    effect: ClassVar[Effect] = "store"
    waits: ClassVar[bool] = True
    Config = ReusableWorkflowConfig
    ui_color = "#fae8ff"

    @classmethod
    def calls(cls, config: Mapping[str, Any]) -> Call | None:
        """The workflow called, and what its variables are given."""
        return call_in(config, config.get("inputs", {}))

    async def run(self, config: ReusableWorkflowConfig, context: NodeContext) -> NodeResult | Wait:
        """Run it; `output.outputs` holds what it gave, by name.

        Raises:
            ConfigError: There is no such workflow, it would lead back here, or the inputs do not fit.
            PermanentNodeError: It failed, or gave an output of another type than it declares.
        """
        # They are kept with the execution, where no secret belongs.
        inputs = redact(config.inputs, context.scope.revealed)
        wanted = Wanted(config.workflow_id, inputs, version=config.version, closed=True)
        ended = await context.workflows.run(wanted)
        if isinstance(ended, Wait):
            return ended
        return NodeResult(
            {
                "outputs": ended.outputs,
                "execution_id": str(ended.execution_id),
                "workflow_id": ended.workflow_id,
                "version": ended.version,
                "status": "success",
            }
        )
