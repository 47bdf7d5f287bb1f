"""The end of another workflow's execution starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.store.endings import ENDED
from oneo.verdicts import Gathers, Refuses, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator


class TriggerWorkflowCompletedConfig(NodeConfig):
    """Whose ends start the workflow."""

    source_workflow_ids: list[str] = Field(
        min_length=1, description="Workflows whose executions are watched; `*` for all."
    )
    success_only: bool = Field(
        default=True,
        description="Only executions that succeeded; false: also those that failed or were cancelled.",
    )
    pass_context: bool = Field(
        default=True,
        description="What its nodes left in the context comes with the trigger data, by name and as "
        "`trigger.context`.",
    )
    merge_outputs: bool = Field(
        default=False,
        description="Wait until every source has ended, for the same record or, without a record, since the last "
        "start: one execution with `outputs` by workflow, and `output` with all of them in one object.",
    )
    merge_hours: float = Field(
        default=24,
        gt=0,
        le=8760,
        description="Hours after the first end when it is given up to wait for the others.",
    )
    include_sub_workflows: bool = Field(
        default=False, description="Also executions that ran as a part of another one."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, value: Any) -> Any:
        """`"source_workflow_id": "a"` is short for `"source_workflow_ids": ["a"]`."""
        if isinstance(value, dict) and "source_workflow_id" in value and "source_workflow_ids" not in value:
            value = dict(value)
            value["source_workflow_ids"] = [value.pop("source_workflow_id")]
        return value

    @model_validator(mode="after")
    def _known_sources(self) -> TriggerWorkflowCompletedConfig:
        if self.merge_outputs and "*" in self.source_workflow_ids:
            raise ValueError(
                "merge_outputs waits for every source: name them in source_workflow_ids instead of '*'"
            )
        return self


class TriggerWorkflowCompletedOperator(TriggerOperator):
    """Start with each execution of other workflows that has ended, however it ran."""

    type: ClassVar[str] = "trigger_workflow_completed"
    description: ClassVar[str] = "Starts the workflow when an execution of another workflow has ended."
    Config = TriggerWorkflowCompletedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The ends of the configured workflows."""
        options = TriggerWorkflowCompletedConfig.model_validate(config)
        return Watch((ENDED,), tuple(options.source_workflow_ids))

    @classmethod
    def consider(cls, options: TriggerWorkflowCompletedConfig, event: Event) -> Verdict:
        """Those that ended as wished, one by one or once all sources have."""
        parent, status = event.data.get("parent_execution_id"), event.data.get("status")
        if parent and not options.include_sub_workflows:
            return Refuses(f"it ran as a part of execution {parent} (include_sub_workflows)")
        if options.success_only and status != "success":
            return Refuses(f"it ended as {status!r}, and only success counts (success_only)")
        sources = tuple(dict.fromkeys(options.source_workflow_ids))
        if options.merge_outputs and len(sources) > 1:
            within = options.merge_hours * 3600
            key = str(event.record_id or "")
            return Gathers(key, within_seconds=within, part=event.topic, all_of=sources)
        return Starts(_told(options, event))

    @classmethod
    def combined(cls, options: TriggerWorkflowCompletedConfig, events: Sequence[Event]) -> dict[str, Any]:
        """The ends of all sources; of several of one source the last."""
        told = [_told(options, event) for event in events]
        outputs = {one["workflow_id"]: one["output"] for one in told}
        merged: dict[str, Any] = {}
        context: dict[str, Any] = {}
        for one in told:
            context |= one.get("context", {})
            merged |= outputs[one["workflow_id"]] if isinstance(outputs[one["workflow_id"]], dict) else {}
        executions = {one["workflow_id"]: one["execution_id"] for one in told}
        found = {**context, **told[-1], "output": merged, "outputs": outputs, "executions": executions}
        return {**found, "context": context} if options.pass_context else found


def _told(options: TriggerWorkflowCompletedConfig, event: Event) -> dict[str, Any]:
    """Trigger data of one end."""
    data = event.trigger_data()
    context = data.pop("context", {})
    return {**context, **data, "context": context} if options.pass_context else data
