"""Another workflow, run as a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from dag_factory.catalogue import Call, Effect
from dag_factory.variables import CONFIRMED
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.calling import Wanted
from oneo_operators.context import NodeContext
from oneo_operators.nodes.workflow._calling import call_in
from oneo_operators.redact import redact
from oneo_operators.result import NodeResult, Wait


class SubWorkflowConfig(NodeConfig):
    """Which workflow, and how."""

    workflow_id: str = Field(min_length=1, description="Id of a published workflow.")
    version: int | None = Field(
        default=None, ge=1, description="Which version; default: the newest when the node runs."
    )
    pass_context: bool = Field(
        default=True,
        description="Give it the entries of `context` as trigger data, `record_id` included; its variables take "
        "those that are called like them.",
    )
    context_mapping: dict[str, Any] = Field(
        default_factory=dict,
        description="Further trigger data by name; it comes before what pass_context gives.",
    )
    wait_for_completion: bool = Field(
        default=True,
        description="Run it as part of this node. Without, it is queued and runs on its own, in its newest version.",
    )
    timeout_minutes: float | None = Field(
        default=None,
        gt=0,
        le=527_040,
        description="Where the node waits: it fails, and so does the sub-workflow, once it takes longer.",
    )
    inherit_permissions: bool = Field(
        default=True,
        description="Run it on behalf of whoever started this workflow. Without, the allowed_user_types of its "
        "trigger_manual are checked for them; where nobody knows who that is, they count as of no type. Its "
        "question counts as answered where context_mapping says `oneo_confirmed: true`.",
    )

    @model_validator(mode="after")
    def _queued_is_newest(self) -> Self:
        if self.version is not None and not self.wait_for_completion:
            raise ValueError(
                "without wait_for_completion the workflow runs in its newest version: leave version out"
            )
        return self


class SubWorkflowOperator(NodeOperator):
    """Run another workflow."""

    type: ClassVar[str] = "sub_workflow"
    category: ClassVar[str] = "workflow_management"
    description: ClassVar[str] = (
        "Runs another workflow: as part of this node, whose output then holds the other's `output`, or on its own. "
        "Where it fails, the node fails. A sub-workflow that was broken off goes on where it stood."
    )
    effect: ClassVar[Effect] = "store"
    waits: ClassVar[bool] = True
    Config = SubWorkflowConfig
    ui_color = "#fae8ff"

    @classmethod
    def calls(cls, config: Mapping[str, Any]) -> Call | None:
        """The workflow called; it takes whatever it is given."""
        return call_in(config)

    async def run(self, config: SubWorkflowConfig, context: NodeContext) -> NodeResult | Wait:
        """Run it; `output.execution_id` is its execution, `output.output` what it gave.

        Raises:
            ConfigError: There is no such workflow, it would lead back here, or its variables do not fit.
            PermanentNodeError: It failed, took too long, or may not be started.
        """
        given = {**(context.entries if config.pass_context else {}), **config.context_mapping}
        confirmed = given.pop(CONFIRMED, None) is True
        wanted = Wanted(
            config.workflow_id,
            # It is kept with the execution, where no secret belongs.
            redact(given, context.scope.revealed),
            version=config.version,
            inherits=config.inherit_permissions,
            confirmed=confirmed,
        )
        sub_workflows = context.workflows
        if not config.wait_for_completion:
            queued = await context.store(lambda session: sub_workflows.queue(session, wanted))
            return NodeResult(
                {"execution_id": str(queued), "workflow_id": config.workflow_id, "status": "started"}
            )
        seconds = config.timeout_minutes * 60 if config.timeout_minutes is not None else None
        ended = await sub_workflows.run(wanted, timeout_seconds=seconds)
        if isinstance(ended, Wait):
            return ended
        return NodeResult(
            {
                "execution_id": str(ended.execution_id),
                "workflow_id": ended.workflow_id,
                "version": ended.version,
                "status": "success",
                "output": ended.output,
            }
        )
