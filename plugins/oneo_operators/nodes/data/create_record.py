"""A new record in a pipeline."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

from pydantic import Field
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.store import pipelines, records
from oneo.store.locks import lock_values
from oneo.store.models import Record
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.data._fields import record_values
from oneo_operators.result import NodeResult


class CreateRecordConfig(NodeConfig):
    """What to create, and what to do about duplicates."""

    pipeline_id: str = Field(description="Pipeline of the new record.")
    record_data: dict[str, Any] = Field(
        description="Field values; `stage`, `owner` and `external_id` may stand among them."
    )
    skip_validation: bool = Field(
        default=False, description="Accept values that do not fit the pipeline's fields."
    )
    check_duplicates: bool = Field(
        default=False,
        description="Look for a record with the same value in one of `duplicate_fields` first; if there is one, "
        "no record is created and the output is the existing one.",
    )
    duplicate_fields: list[str] | None = Field(
        default=None,
        description="Fields that tell duplicates. Default: the pipeline's unique fields, else email, phone and "
        "external_id.",
    )
    merge_if_exists: bool = Field(
        default=False, description="Write the given values into the duplicate that was found."
    )


class CreateRecordOperator(NodeOperator):
    """Create a record."""

    type: ClassVar[str] = "create_record"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = (
        "Creates a record in a pipeline, or finds the duplicate that is there already."
    )
    effect: ClassVar[Effect] = "store"
    Config = CreateRecordConfig

    async def run(self, config: CreateRecordConfig, context: NodeContext) -> NodeResult:
        """Create the record; `output.record_id` is its id, `output.created` whether it is new."""
        data = record_values(config.record_data, "config.record_data")

        def work(session: Session) -> dict[str, Any]:
            spec = pipelines.get(session, config.pipeline_id)
            if not config.skip_validation:
                pipelines.check(spec, data)
            existing = None
            if config.check_duplicates or config.merge_if_exists:
                unique = [field.id for field in spec.fields if field.unique]
                names = config.duplicate_fields or unique or ["email", "phone", "external_id"]
                existing = _duplicate(session, context.tenant_id, config.pipeline_id, data, names)
            if existing is None:
                record_id = _own_id(context)
                row = records.create(
                    session, context.tenant_id, config.pipeline_id, data, record_id=record_id
                )
                return {"created": True, "merged": False, **_shown(row)}
            if config.merge_if_exists:
                records.update(session, existing, records.Changes(set=data))
            return {"created": False, "merged": config.merge_if_exists, **_shown(existing)}

        output = await context.store(work)
        updates = {"created_record_id": output["record_id"]}
        if context.record_id is None:
            updates["record_id"] = output["record_id"]
        return NodeResult(output, updates)


def _own_id(context: NodeContext) -> UUID | None:
    """The id follows from the execution and the node: whoever runs it again means the same record."""
    if context.execution_id is None:
        return None
    return uuid5(context.execution_id, f"record/{context.key}")


def _duplicate(
    session: Session, tenant_id: str, pipeline_id: str, data: dict[str, Any], names: list[str]
) -> Record | None:
    values = [(name, data[name]) for name in names if data.get(name) not in (None, "")]
    # Two executions with the same value wait for each other: the second finds what the first created.
    lock_values(session, tenant_id, pipeline_id, values)
    for name, value in values:
        found = records.find_equal(session, pipeline_id, name, value)
        if found:
            return records.get(session, found[0].id, lock=True)
    return None


def _shown(row: Record) -> dict[str, Any]:
    return {"record_id": str(row.id), "record": records.view(row)}
