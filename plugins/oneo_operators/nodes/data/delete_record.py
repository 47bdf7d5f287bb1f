"""Deletes records, and brings them back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dag_factory.catalogue import Effect
from oneo.store import records
from oneo.store.record_store import RecordStore, StoredRecord
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.filter_option import Filters
from oneo_operators.nodes.data._target import RecordConfig, check_pipeline, pipeline_of, record_id_of
from oneo_operators.result import NodeResult


class DeleteRecordConfig(RecordConfig):
    """Which records go, and how."""

    pipeline_id: str | None = Field(
        default=None,
        description="Pipeline the record must be in, a safeguard against a wrong id; with `filters`, the one searched.",
    )
    filters: Filters | None = Field(
        default=None,
        description='Instead of record_id: delete every record that fits, such as `{"status": "spam"}`.',
    )
    limit: int = Field(
        default=100,
        ge=1,
        le=records.MAX_LIMIT,
        description="With `filters`: at most that many records, oldest first.",
    )
    soft_delete: bool = Field(
        default=True,
        description="Only mark it deleted: it is found no more and can be restored. Otherwise it is removed for good, "
        "with its tasks and the values in its history; record events and logs of executions keep what they hold.",
    )
    archive_before_delete: bool = Field(
        default=False,
        description="Keep the record as it was in its history, even where it is removed for good.",
    )
    cascade_delete: bool = Field(
        default=False, description="Delete what belongs to it, too, and what belongs to that."
    )
    restore: bool = Field(
        default=False,
        description="Undo a soft delete: bring the record back, and the children its deletion took along.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> DeleteRecordConfig:
        if self.restore and (not self.soft_delete or self.filters is not None):
            raise ValueError("`restore` brings back the one soft-deleted record of `record_id`")
        if self.filters is None:
            return self
        if not self.filters:
            raise ValueError("`filters` has at least one condition: without one, everything would go")
        if self.pipeline_id is None or "record_id" in self.model_fields_set:
            raise ValueError("`filters` needs a `pipeline_id` and no `record_id`")
        return self


class DeleteRecordOperator(NodeOperator):
    """Delete records."""

    type: ClassVar[str] = "delete_record"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = (
        "Deletes a record, or all that fit a filter, alone or with what belongs to them; or brings a deleted one back. "
        "`output.deleted` (or `output.restored`) names the records, `output.count` and `output.children` say how many."
    )
    effect: ClassVar[Effect] = "store"
    Config = DeleteRecordConfig

    async def run(self, config: DeleteRecordConfig, context: NodeContext) -> NodeResult:
        """Delete or restore under row locks, in the attempt's transaction."""
        if config.filters is not None:
            return NodeResult(
                await context.change_records(config.pipeline_id, lambda store: _delete_all(store, config))
            )
        record_id = record_id_of(config, context)

        def work(store: RecordStore) -> dict[str, Any]:
            record = store.locate(record_id)
            check_pipeline(record, config.pipeline_id)
            if not config.restore:
                return _deleted([record.id], _delete(store, record, config))
            children = store.restore(record)
            return {
                "restored": [record.id],
                "count": 1,
                "children": len(children),
                "record": record.view,
            }

        pipeline_id = pipeline_of(config.pipeline_id, record_id, context)
        return NodeResult({"record_id": record_id, **await context.change_records(pipeline_id, work)})


def _delete_all(store: RecordStore, config: DeleteRecordConfig) -> dict[str, Any]:
    filters = config.filters or {}
    gone: list[str] = []
    children: set[str] = set()
    for record in store.find(filters, limit=config.limit):
        # It may have gone as the child of one before it.
        if record.id not in children:
            gone.append(record.id)
            children |= set(_delete(store, record, config))
    return {**_deleted(gone, children), "remaining": store.count(filters)}


def _delete(store: RecordStore, record: StoredRecord, config: DeleteRecordConfig) -> list[str]:
    return store.delete(
        record,
        soft=config.soft_delete,
        archive=config.archive_before_delete,
        cascade=config.cascade_delete,
    )


def _deleted(gone: list[str], children: Collection[str]) -> dict[str, Any]:
    # Ids only: what is removed for good must not live on in the log.
    return {"deleted": gone, "count": len(gone), "children": len(children)}
