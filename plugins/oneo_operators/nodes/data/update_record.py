"""Changes to existing records."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, FiniteFloat, model_validator

from dag_factory.catalogue import Effect
from oneo.database import plain_json
from oneo.errors import ConfigError, DuplicateError, PermanentNodeError
from oneo.filters import Clause, matches, parse
from oneo.store import records
from oneo.store.changes import Changes, changed_values
from oneo.store.record_store import RecordStore, StoredRecord
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.filter_option import Filters
from oneo_operators.nodes.data._fields import own_name, record_values
from oneo_operators.nodes.data._target import RecordConfig, check_pipeline, pipeline_of, record_id_of
from oneo_operators.result import NodeResult


class UpdateRecordConfig(RecordConfig):
    """Which records change, and how."""

    pipeline_id: str | None = Field(
        default=None,
        description="Pipeline the record must be in, a safeguard against a wrong id; with `filters`, the one searched.",
    )
    filters: Filters | None = Field(
        default=None,
        description='Instead of record_id: change every record that fits, such as `{"status": "new"}`.',
    )
    limit: int = Field(
        default=100,
        ge=1,
        le=records.MAX_LIMIT,
        description="With `filters`: at most that many records, oldest first.",
    )
    create_if_not_found: bool = Field(
        default=False,
        description="With `filters`: where no record fits, create one that does, with the changes made to it.",
    )
    update_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields to overwrite; `stage` and `owner` may stand among them, and `address.city` is a field "
        "inside of one.",
    )
    increment_fields: dict[str, FiniteFloat] = Field(
        default_factory=dict, description="Numbers to add to fields; a missing field counts as 0."
    )
    append_to_arrays: dict[str, list[Any]] = Field(
        default_factory=dict, description="Values to append to list fields; a missing field counts as empty."
    )
    unset_fields: list[str] = Field(default_factory=list, description="Fields to take away.")
    only_if: Filters | None = Field(
        default=None,
        description="Change a record only where all of this holds for it under its lock; else it stays as it is, and "
        "`output.skipped` says why.",
    )
    expected_version: int | None = Field(
        default=None,
        description="Version the record must still have, such as `{{record.version}}` was: "
        "where it was changed meanwhile, the node fails.",
    )
    skip_validation: bool = Field(
        default=False, description="Accept values that do not fit the pipeline's fields, stages and schema."
    )

    @model_validator(mode="after")
    def _one_way(self) -> UpdateRecordConfig:
        if self.filters is None:
            if self.create_if_not_found:
                raise ValueError("`create_if_not_found` needs `filters` that say which record is looked for")
            return self
        if not self.filters:
            raise ValueError("`filters` has at least one condition: without one, everything would change")
        if self.pipeline_id is None or "record_id" in self.model_fields_set:
            raise ValueError("`filters` needs a `pipeline_id` and no `record_id`")
        if "expected_version" in self.model_fields_set:
            raise ValueError(
                "`expected_version` is that of one record: it needs a `record_id`, not `filters`"
            )
        return self


class UpdateRecordOperator(NodeOperator):
    """Change records."""

    type: ClassVar[str] = "update_record"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = (
        "Overwrites, increments, appends to or takes away fields of a record, or of all that fit a filter. With "
        "`filters`, `output.updated` names the records that really changed, and `output.remaining` counts those that "
        "`limit` left out."
    )
    effect: ClassVar[Effect] = "store"
    Config = UpdateRecordConfig

    async def run(self, config: UpdateRecordConfig, context: NodeContext) -> NodeResult:
        """Change under row locks; `output.changed` names the fields that really changed."""
        changes = Changes(
            record_values(config.update_fields, "config.update_fields"),
            _whole(config.increment_fields),
            plain_json(config.append_to_arrays),
            config.unset_fields,
        )
        if config.filters is not None:
            output = await context.change_records(
                config.pipeline_id, lambda store: _update_all(store, config, changes, context)
            )
            created = output["created"]
            return NodeResult(output, {"created_record_id": created} if created else {})
        record_id = record_id_of(config, context)
        if "expected_version" in config.model_fields_set and config.expected_version is None:
            raise ConfigError(
                "config.expected_version came out empty",
                "make sure that its expression finds a version, or leave expected_version out",
            )

        def work(store: RecordStore) -> dict[str, Any]:
            record = store.get(record_id)
            check_pipeline(record, config.pipeline_id)
            _check_version(record, config)
            changed, skipped = _update(store, record, changes, config)
            return {"record_id": record.id, "changed": changed, "skipped": skipped, "record": record.view}

        pipeline_id = pipeline_of(config.pipeline_id, record_id, context)
        return NodeResult(await context.change_records(pipeline_id, work))


def _check_version(record: StoredRecord, config: UpdateRecordConfig) -> None:
    if config.expected_version in (None, record.version):
        return
    if record.version is None:
        raise ConfigError(
            f"expected_version: nobody counts the changes of record {record.id}",
            "map a `version` column in the source of its pipeline, or use only_if",
        )
    raise PermanentNodeError(
        f"record {record.id} has version {record.version}, not the expected {config.expected_version}",
        "somebody changed it meanwhile: read it again, and decide again",
    )


def _update(
    store: RecordStore, record: StoredRecord, changes: Changes, config: UpdateRecordConfig
) -> tuple[list[str], str | None]:
    """Change a locked record; returns the fields that really changed, and why it was left as it is."""
    failing = matches(parse(config.only_if or {}), record.view)
    if failing is not None:
        return [], f"only_if does not hold: {failing}"
    return store.update(record, changes, skip_validation=config.skip_validation), None


def _update_all(
    store: RecordStore, config: UpdateRecordConfig, changes: Changes, context: NodeContext
) -> dict[str, Any]:
    filters = config.filters or {}
    created = None
    if config.create_if_not_found:
        created = _created(store, config, changes, context)
    fitting = 0 if created else store.count(filters)
    found = store.find(filters, limit=config.limit) if fitting else []
    updated = [record for record in found if _update(store, record, changes, config)[0]]
    return {
        "updated": [record.id for record in updated],
        "count": len(updated),
        "found": len(found),
        "remaining": max(0, fitting - len(found)),
        "created": created.id if created else None,
    }


def _created(
    store: RecordStore, config: UpdateRecordConfig, changes: Changes, context: NodeContext
) -> StoredRecord | None:
    """The record that was looked for, where there was none."""
    filters = config.filters or {}
    wanted = {
        ".".join(one.field): one.value
        for one in parse(filters)
        if isinstance(one, Clause) and one.operator == "$eq" and one.value is not None
    }
    # Two executions that look for the same wait for each other: the second finds what the first created.
    store.lock_values(wanted.items())
    if store.count(filters):
        return None
    data = changed_values(changed_values({}, Changes(set=wanted)), changes)
    try:
        return store.create(data, name=own_name(context), skip_validation=config.skip_validation)
    except DuplicateError:
        # Somebody who does not take our locks, such as plain SQL, was quicker.
        if not store.count(filters):
            raise
        return None


def _whole(amounts: dict[str, float]) -> dict[str, float]:
    """1.0 adds as 1, so that a counter stays a whole number."""
    return {name: int(amount) if amount == int(amount) else amount for name, amount in amounts.items()}
