"""Pipelines: the kinds of records a tenant has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import InvalidRecordError, NotFoundError, UserError
from oneo.store import unique
from oneo.store.models import Pipeline
from oneo.store.pipeline_spec import FieldType, PipelineField, PipelineSpec, PipelineStage, parse_spec
from oneo.suggest import did_you_mean

__all__ = ["FieldType", "PipelineField", "PipelineSpec", "PipelineStage", "parse_spec"]


def apply(session: Session, tenant_id: str, spec: PipelineSpec) -> None:
    """Create the pipeline, or bring it to `spec`; its records stay as they are.

    Raises:
        UserError: A field shall be unique, and records have the same value in it.
    """
    values: dict[str, Any] = {
        "name": spec.name or spec.id,
        "fields": [field.model_dump() for field in spec.fields],
        "stages": [stage.model_dump() for stage in spec.stages],
        "record_schema": spec.record_schema,
        "source": spec.source.model_dump() if spec.source else None,
    }
    statement = insert(Pipeline).values(tenant_id=tenant_id, id=spec.id, **values)
    with unique.refusing_fields(spec.id):
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "id"], set_={**values, "updated_at": func.now()}
            )
        )
    unique.remember(session, spec.id, values["fields"])


def get(session: Session, pipeline_id: str) -> PipelineSpec:
    """The pipeline.

    Raises:
        NotFoundError: No pipeline of that id; the message names the nearest.
    """
    found = find(session, pipeline_id)
    if found is None:
        known = list(session.scalars(select(Pipeline.id)))
        raise NotFoundError(f"there is no pipeline {pipeline_id!r}", hint=did_you_mean(pipeline_id, known))
    return found


def own(session: Session, pipeline_id: str) -> PipelineSpec:
    """The pipeline, for what works on records of our own store only.

    Raises:
        NotFoundError: No pipeline of that id; the message names the nearest.
        UserError: Its records are in a table of the tenant's own.
    """
    found = get(session, pipeline_id)
    if found.source is not None:
        raise UserError(
            f"the records of pipeline {pipeline_id!r} are in the table {found.source.table!r} of connection "
            f"{found.source.connection_id!r}: this works on records of our own store only",
            hint="use create_record, update_record, find_records and delete_record, or SQL there",
        )
    return found


def find(session: Session, pipeline_id: str) -> PipelineSpec | None:
    """The pipeline, or None where there is none of that id."""
    row = session.scalar(select(Pipeline).where(Pipeline.id == pipeline_id))
    if row is None:
        return None
    unique.remember(session, row.id, row.fields)
    return spec_of(row)


def all_pipelines(session: Session) -> list[PipelineSpec]:
    """Every pipeline of the tenant."""
    rows = session.scalars(select(Pipeline).order_by(Pipeline.id))
    return [spec_of(row) for row in rows]


def spec_of(row: Pipeline) -> PipelineSpec:
    """The pipeline of a row."""
    return PipelineSpec.model_validate(
        {name: getattr(row, name) for name in ("id", "name", "fields", "stages", "record_schema", "source")}
    )


def check(spec: PipelineSpec, data: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Nothing where `data` fits the pipeline.

    Args:
        spec: The pipeline.
        data: A record's values.
        before: Its values before it was changed: what did not fit then, such as a field that the pipeline asks for
            since last week, holds up no other change.

    Raises:
        InvalidRecordError: It does not; every reason is named.
    """
    problems = spec.problems(data)
    if problems and before is not None:
        known = spec.problems(before)
        problems = [one for one in problems if one not in known]
    if problems:
        raise InvalidRecordError(
            f"the record does not fit pipeline {spec.id!r}: " + "; ".join(problems),
            hint="correct the values, or set skip_validation",
        )
