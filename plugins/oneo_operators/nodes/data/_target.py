"""Which record a node that changes one is about."""

from __future__ import annotations

from pydantic import Field

from oneo.errors import ConfigError
from oneo.store.record_store import StoredRecord
from oneo_operators.base import NodeConfig
from oneo_operators.context import NodeContext


class RecordConfig(NodeConfig):
    """The option that says so."""

    record_id: str | None = Field(default=None, description="Default: the record the execution is about.")


def record_id_of(config: RecordConfig, context: NodeContext) -> str:
    """The record the config names, or the one the execution is about.

    Raises:
        ConfigError: There is none, or an expression that should have found one found nothing.
    """
    record_id = config.record_id or context.record_id
    if "record_id" in config.model_fields_set and not config.record_id:
        # An expression that found nothing must not change another record than the one it looked for.
        raise ConfigError(
            "config.record_id came out empty",
            "make sure that its expression finds a record, or leave record_id out for the execution's own",
        )
    if not record_id:
        raise ConfigError(
            "no record_id is given and the execution is about no record",
            "set record_id, e.g. to {{context.created_record_id}}",
        )
    return record_id


def pipeline_of(pipeline_id: str | None, record_id: str, context: NodeContext) -> str | None:
    """The pipeline to look for a record in: the one that is named, or that of the execution's own record.

    None where nothing says it: then it is a record of our own store.
    """
    return pipeline_id or (context.pipeline_id if record_id == context.record_id else None)


def check_pipeline(record: StoredRecord, pipeline_id: str | None) -> None:
    """Nothing, where the record is in the pipeline it should be in.

    Raises:
        ConfigError: It is in another.
    """
    if pipeline_id is not None and record.pipeline_id != pipeline_id:
        raise ConfigError(
            f"record {record.id} is in pipeline {record.pipeline_id!r}, not in {pipeline_id!r}",
            "correct record_id or pipeline_id",
        )
