"""Deletes records, and brings them back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.store import deletion, pipelines, records
from oneo.store.models import Record
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.filter_option import Filters
from oneo_operators.nodes.data._target import RecordConfig, check_pipeline, record_id_of
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
            return NodeResult(await context.store(lambda session: _delete_all(session, config)))
        record_id = record_id_of(config, context)

        def work(session: Session) -> dict[str, Any]:
            row = deletion.locate(session, record_id)
            check_pipeline(row, config.pipeline_id)
            if not config.restore:
                return _deleted([row], _delete(session, row, config))
            children = deletion.restore(session, row)
            return {
                "restored": [str(row.id)],
                "count": 1,
                "children": len(children),
                "record": records.view(row),
            }

        return NodeResult({"record_id": record_id, **await context.store(work)})


def _delete_all(session: Session, config: DeleteRecordConfig) -> dict[str, Any]:
    pipeline_id, filters = str(config.pipeline_id), config.filters or {}
    pipelines.get(session, pipeline_id)
    rows: list[Record] = []
    children: dict[UUID, Record] = {}
    for row in records.find(session, pipeline_id, filters, limit=config.limit, lock=True):
        # It may have gone as the child of one before it.
        if row.id not in children:
            rows.append(row)
            children |= {child.id: child for child in _delete(session, row, config)}
    return {**_deleted(rows, children), "remaining": records.count(session, pipeline_id, filters)}


def _delete(session: Session, row: Record, config: DeleteRecordConfig) -> list[Record]:
    go = deletion.delete if config.soft_delete else deletion.remove
    return go(session, row, archive=config.archive_before_delete, cascade=config.cascade_delete)


def _deleted(rows: list[Record], children: Collection[object]) -> dict[str, Any]:
    # Ids only: what is removed for good must not live on in the log.
    return {"deleted": [str(row.id) for row in rows], "count": len(rows), "children": len(children)}
