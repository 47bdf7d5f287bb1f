"""A new record starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._batches import BatchConfig
from oneo_operators.nodes.triggers._records import as_batch


class TriggerRecordCreatedConfig(BatchConfig):
    """Which new records start the workflow, and when."""

    delay_seconds: int = Field(
        default=0, ge=0, le=31_536_000, description="Seconds between the record's creation and the start."
    )
    include_restored: bool = Field(
        default=False, description="Also of records that come back from a soft deletion."
    )


class TriggerRecordCreatedOperator(TriggerOperator):
    """Start with each record that is created, by whomever."""

    type: ClassVar[str] = "trigger_record_created"
    description: ClassVar[str] = "Starts the workflow when a record is created that fits the filters."
    Config = TriggerRecordCreatedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The created records of the configured pipelines."""
        options = TriggerRecordCreatedConfig.model_validate(config)
        kinds = ("created", "restored") if options.include_restored else ("created",)
        return Watch(kinds, tuple(options.pipeline_ids))

    @classmethod
    def requires(cls, options: TriggerRecordCreatedConfig) -> Sequence[Clause]:
        """The filters."""
        return options.required

    @classmethod
    def consider(cls, options: TriggerRecordCreatedConfig, event: Event) -> Verdict:
        """Those that fit the filters, one by one or in batches."""
        misfit = options.misfit(event)
        if misfit:
            return Refuses(misfit)
        if options.batch_processing:
            return options.batch(options.delay_seconds)
        return Starts(delay_seconds=options.delay_seconds)

    @classmethod
    def combined(cls, options: TriggerRecordCreatedConfig, events: Sequence[Event]) -> dict[str, Any]:
        """The records of a batch."""
        return as_batch(events)
