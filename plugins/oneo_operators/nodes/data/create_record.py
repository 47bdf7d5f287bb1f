"""A new record in a pipeline."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dag_factory.catalogue import Effect
from oneo.errors import ConfigError, DuplicateError
from oneo.store.changes import Changes
from oneo.store.duplicates import Strategy
from oneo.store.record_store import RecordStore, StoredRecord
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.data._fields import own_name, record_values
from oneo_operators.result import NodeResult


class CreateRecordConfig(NodeConfig):
    """What to create, and what to do about duplicates."""

    pipeline_id: str = Field(description="Pipeline of the new record.")
    record_data: dict[str, Any] = Field(
        description="Field values; `stage`, `owner` and `external_id` may stand among them."
    )
    skip_validation: bool = Field(
        default=False, description="Accept values that do not fit the pipeline's fields, stages and schema."
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
    duplicate_strategy: Strategy = Field(
        default="any", description="The same value in one of `duplicate_fields` is enough, or all must agree."
    )
    merge_if_exists: bool = Field(
        default=False,
        description="Write the given values into the duplicate that was found; without one, create the record.",
    )
    merge_values: Literal["overwrite", "fill_gaps"] = Field(
        default="overwrite",
        description="With `merge_if_exists`: overwrite what the duplicate has, or only fill its empty fields.",
    )
    parent_id: str | None = Field(
        default=None, description="Record that the created or merged record belongs to."
    )
    relation: str = Field(
        default="child", min_length=1, description="With `parent_id`: as what, e.g. invoice."
    )
    delete_with_parent: bool = Field(
        default=True, description="With `parent_id`: whether `cascade_delete` of the parent takes it along."
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
        if "parent_id" in config.model_fields_set and not config.parent_id:
            raise ConfigError(
                "config.parent_id came out empty",
                "make sure that its expression finds a record, or leave parent_id out",
            )

        def work(store: RecordStore) -> dict[str, Any]:
            record, created = _found_or_created(store, config, data, context)
            merged = config.merge_if_exists and not created
            if merged:
                changes = Changes(set=_to_merge(record, data, config))
                store.update(record, changes, skip_validation=config.skip_validation)
            if config.parent_id and (created or merged):
                store.relate(config.parent_id, record, config.relation, cascades=config.delete_with_parent)
            return {"created": created, "merged": merged, "record_id": record.id, "record": record.view}

        output = await context.change_records(config.pipeline_id, work)
        updates = {"created_record_id": output["record_id"]}
        if context.record_id is None:
            updates["record_id"] = output["record_id"]
        return NodeResult(output, updates)


def _found_or_created(
    store: RecordStore, config: CreateRecordConfig, data: dict[str, Any], context: NodeContext
) -> tuple[StoredRecord, bool]:
    """The record, and whether it is new."""

    def duplicate() -> StoredRecord | None:
        if not (config.check_duplicates or config.merge_if_exists):
            return None
        return store.duplicate(data, config.duplicate_fields, config.duplicate_strategy)

    existing = duplicate()
    if existing is not None:
        return existing, False
    try:
        return store.create(data, name=own_name(context), skip_validation=config.skip_validation), True
    except DuplicateError:
        # Somebody who does not take our locks, such as plain SQL, was quicker.
        existing = duplicate()
        if existing is None:
            raise
        return existing, False


def _to_merge(record: StoredRecord, data: dict[str, Any], config: CreateRecordConfig) -> dict[str, Any]:
    if config.merge_values == "overwrite":
        return data
    held = record.values
    return {name: value for name, value in data.items() if held.get(name) in (None, "", [], {})}
