"""A new record starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dag_factory.catalogue import Watch
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.filter_option import Filters


class TriggerRecordCreatedConfig(NodeConfig):
    """Which new records start the workflow, and when."""

    pipeline_ids: list[str] = Field(
        default_factory=lambda: ["*"], min_length=1, description="Pipelines to watch; `*` for all."
    )
    field_filters: Filters = Field(
        default_factory=dict,
        description='Only records that fit: `{"source": "website", "score": {"$gte": 50}}`.',
    )
    delay_seconds: int = Field(
        default=0, ge=0, le=31_536_000, description="Seconds between the record's creation and the start."
    )
    batch_processing: bool = Field(
        default=False,
        description="One execution for all records created together (at most 100), which finds them in "
        "`trigger.records`, instead of one execution each.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_pipeline(cls, value: Any) -> Any:
        """`"pipeline_id": "leads"` is short for `"pipeline_ids": ["leads"]`."""
        if isinstance(value, dict) and "pipeline_id" in value and "pipeline_ids" not in value:
            value = dict(value)
            value["pipeline_ids"] = [value.pop("pipeline_id")]
        return value


class TriggerRecordCreatedOperator(TriggerOperator):
    """Start with each record that is created, by whomever."""

    type: ClassVar[str] = "trigger_record_created"
    description: ClassVar[str] = "Starts the workflow when a record is created that fits the filters."
    Config = TriggerRecordCreatedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The created records of the configured pipelines."""
        return Watch("created", tuple(TriggerRecordCreatedConfig.model_validate(config).pipeline_ids))
