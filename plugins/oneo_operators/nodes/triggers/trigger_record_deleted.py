"""The deletion of a record starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._batches import BatchConfig
from oneo_operators.nodes.triggers._records import as_batch


class TriggerRecordDeletedConfig(BatchConfig):
    """Which deletions start the workflow."""

    soft_delete_only: bool = Field(
        default=False,
        description="Only of records that can be brought back; false: also of those removed for good.",
    )
    archive_before_delete: bool = Field(
        default=False,
        description="The history keeps the record as it was, archived as by delete_record. A record that is "
        "removed for good can no longer be archived: the execution alone gets to know what it was.",
    )


class TriggerRecordDeletedOperator(TriggerOperator):
    """Start with each record that is deleted, by whomever."""

    type: ClassVar[str] = "trigger_record_deleted"
    description: ClassVar[str] = "Starts the workflow when a record is deleted that fits the filters."
    Config = TriggerRecordDeletedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The deleted records of the configured pipelines."""
        return Watch(("deleted",), tuple(TriggerRecordDeletedConfig.model_validate(config).pipeline_ids))

    @classmethod
    def requires(cls, options: TriggerRecordDeletedConfig) -> Sequence[Clause]:
        """The filters."""
        return options.required

    @classmethod
    def consider(cls, options: TriggerRecordDeletedConfig, event: Event) -> Verdict:
        """Those that fit the filters as they were last, one by one or in batches."""
        soft = event.data.get("soft_delete") is True
        if options.soft_delete_only and not soft:
            return Refuses(
                "the record was removed for good, and only soft deletions count (soft_delete_only)"
            )
        misfit = options.misfit(event)
        if misfit:
            return Refuses(misfit)
        archives = options.archive_before_delete and soft
        return (
            replace(options.batch(), archives=archives)
            if options.batch_processing
            else Starts(archives=archives)
        )

    @classmethod
    def combined(cls, options: TriggerRecordDeletedConfig, events: Sequence[Event]) -> dict[str, Any]:
        """The records of a batch."""
        return as_batch(events)
