"""Changes to an existing record."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, FiniteFloat
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.database import plain_json
from oneo.errors import ConfigError, PermanentNodeError
from oneo.store import pipelines, records
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.data._fields import record_values
from oneo_operators.nodes.data._target import RecordConfig, check_pipeline, record_id_of
from oneo_operators.result import NodeResult


class UpdateRecordConfig(RecordConfig):
    """Which record changes, and how."""

    pipeline_id: str | None = Field(
        default=None, description="Pipeline the record must be in; a safeguard against a wrong id."
    )
    update_fields: dict[str, Any] = Field(
        default_factory=dict, description="Fields to overwrite; `stage` and `owner` may stand among them."
    )
    increment_fields: dict[str, FiniteFloat] = Field(
        default_factory=dict, description="Numbers to add to fields; a missing field counts as 0."
    )
    append_to_arrays: dict[str, list[Any]] = Field(
        default_factory=dict, description="Values to append to list fields; a missing field counts as empty."
    )
    expected_version: int | None = Field(
        default=None,
        description="Version the record must still have, such as `{{record.version}}` was: "
        "where it was changed meanwhile, the node fails.",
    )
    skip_validation: bool = Field(
        default=False, description="Accept values that do not fit the pipeline's fields."
    )


class UpdateRecordOperator(NodeOperator):
    """Change a record."""

    type: ClassVar[str] = "update_record"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = "Overwrites, increments or appends to fields of a record."
    effect: ClassVar[Effect] = "store"
    Config = UpdateRecordConfig

    async def run(self, config: UpdateRecordConfig, context: NodeContext) -> NodeResult:
        """Change the record under a row lock; `output.changed` names the fields that really changed."""
        record_id = record_id_of(config, context)
        if "expected_version" in config.model_fields_set and config.expected_version is None:
            raise ConfigError(
                "config.expected_version came out empty",
                "make sure that its expression finds a version, or leave expected_version out",
            )

        def work(session: Session) -> dict[str, Any]:
            row = records.get(session, record_id, lock=True)
            check_pipeline(row, config.pipeline_id)
            if config.expected_version not in (None, row.version):
                raise PermanentNodeError(
                    f"record {record_id} has version {row.version}, not the expected {config.expected_version}",
                    "somebody changed it meanwhile: read it again, and decide again",
                )
            changes = records.Changes(
                record_values(config.update_fields, "config.update_fields"),
                _whole(config.increment_fields),
                plain_json(config.append_to_arrays),
            )
            changed = records.update(session, row, changes)
            if changed and not config.skip_validation:
                pipelines.check(pipelines.get(session, row.pipeline_id), records.values_of(row))
            return {"record_id": str(row.id), "changed": changed, "record": records.view(row)}

        return NodeResult(await context.store(work))


def _whole(amounts: dict[str, float]) -> dict[str, float]:
    """1.0 adds as 1, so that a counter stays a whole number."""
    return {name: int(amount) if amount == int(amount) else amount for name, amount in amounts.items()}
