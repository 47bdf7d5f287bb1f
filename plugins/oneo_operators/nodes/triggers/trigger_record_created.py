"""A new record starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.verdicts import Gathers, Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._records import RecordTriggerConfig, as_batch


class TriggerRecordCreatedConfig(RecordTriggerConfig):
    """Which new records start the workflow, and when."""

    delay_seconds: int = Field(
        default=0, ge=0, le=31_536_000, description="Seconds between the record's creation and the start."
    )
    batch_processing: bool = Field(
        default=False,
        description="One execution for several records, which finds them in `trigger.records`, instead of one each.",
    )
    batch_size: int = Field(default=100, ge=1, le=1000, description="Records of a batch at most.")
    batch_seconds: float = Field(
        default=5,
        ge=0,
        le=86_400,
        description="Seconds after its first record when a batch starts at the latest.",
    )


class TriggerRecordCreatedOperator(TriggerOperator):
    """Start with each record that is created, by whomever."""

    type: ClassVar[str] = "trigger_record_created"
    description: ClassVar[str] = "Starts the workflow when a record is created that fits the filters."
    Config = TriggerRecordCreatedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The created records of the configured pipelines."""
        return Watch(("created",), tuple(TriggerRecordCreatedConfig.model_validate(config).pipeline_ids))

    @classmethod
    def consider(cls, options: TriggerRecordCreatedConfig, event: Event) -> Verdict:
        """Those that fit the filters, one by one or in batches."""
        misfit = options.misfit(event)
        if misfit:
            return Refuses(misfit)
        if options.batch_processing:
            within = options.delay_seconds + options.batch_seconds
            return Gathers(within_seconds=within, size=options.batch_size)
        return Starts(delay_seconds=options.delay_seconds)

    @classmethod
    def combined(cls, options: TriggerRecordCreatedConfig, events: Sequence[Event]) -> dict[str, Any]:
        """The records of a batch."""
        return as_batch(events)
