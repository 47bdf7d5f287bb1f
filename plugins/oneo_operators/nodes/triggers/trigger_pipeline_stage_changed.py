"""A record that passes from one stage of its pipeline to another starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._records import RecordTriggerConfig, named


class TriggerPipelineStageChangedConfig(RecordTriggerConfig):
    """Which ways from stage to stage start the workflow."""

    from_stages: list[str] = Field(
        default_factory=list, description="Stages that the record comes from; empty: any, or none."
    )
    to_stages: list[str] = Field(default_factory=list, description="Stages that it comes to; empty: any.")
    direction: Literal["forward", "backward", "any"] = Field(
        default="any",
        description="Which way, in the order of the pipeline's stages at the time; the first stage of a record that "
        "had none is forward. Stages that the pipeline does not name lie on no way.",
    )

    def other_way(self, event: Event) -> str | None:
        """Why the change of stage is not the one that is waited for; None where it is."""
        before, after = (event.before or {}).get("stage"), event.record.get("stage")
        way = f"from {before!r} to {after!r}"
        if self.from_stages and before not in self.from_stages:
            return f"the stage went {way}, and it has to come from {named(self.from_stages)}"
        if self.to_stages and after not in self.to_stages:
            return f"the stage went {way}, and it has to come to {named(self.to_stages)}"
        if self.direction == "any":
            return None
        went = _direction(event, before, after)
        if went is None:
            return (
                f"the stage went {way}, which is no way in pipeline {event.topic!r} ({named(event.stages)})"
            )
        return (
            None if went == self.direction else f"the stage went {way}, which is {went}, not {self.direction}"
        )


class TriggerPipelineStageChangedOperator(TriggerOperator):
    """Start with each record that comes to another stage."""

    type: ClassVar[str] = "trigger_pipeline_stage_changed"
    description: ClassVar[str] = "Starts the workflow when a record passes to another stage of its pipeline."
    Config = TriggerPipelineStageChangedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The changed records of the configured pipelines."""
        options = TriggerPipelineStageChangedConfig.model_validate(config)
        return Watch(("updated",), tuple(options.pipeline_ids))

    @classmethod
    def requires(cls, options: TriggerPipelineStageChangedConfig) -> Sequence[Clause]:
        """The stage that it comes to, and the filters."""
        to = [Clause(("stage",), "$in", options.to_stages)] if options.to_stages else []
        return [*to, *options.required]

    @classmethod
    def consider(cls, options: TriggerPipelineStageChangedConfig, event: Event) -> Verdict:
        """Changes of the stage that go the configured way."""
        if "stage" not in event.changed:
            return Refuses(f"only {named(event.changed)} changed, not the stage")
        reason = options.other_way(event) or options.misfit(event)
        if reason:
            return Refuses(reason)
        stages = {"from_stage": (event.before or {}).get("stage"), "to_stage": event.record.get("stage")}
        return Starts({**event.trigger_data(), **stages})


def _direction(event: Event, before: Any, after: Any) -> str | None:
    """Which way the record went; None where the order of the stages does not say it."""
    order = (None, *event.stages)
    if before not in order or after not in order or "pipeline_id" in event.changed:
        return None
    return "forward" if order.index(after) > order.index(before) else "backward"
