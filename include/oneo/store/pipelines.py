"""Pipelines: which fields a record of a kind has, and whether given data fits them."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import InvalidRecordError, NotFoundError, UserError
from oneo.store.models import Pipeline
from oneo.store.record_data import RESERVED_FIELDS
from oneo.suggest import did_you_mean

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

FieldType = Literal[
    "text",
    "number",
    "integer",
    "boolean",
    "date",
    "datetime",
    "email",
    "phone",
    "url",
    "select",
    "list",
    "json",
]

# JSON Schema of a value of each type; formats are checked by jsonschema.
_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "pattern": r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)*$(?!\n)"},
    "phone": {"type": "string", "pattern": r"^[+()0-9 ./-]{4,30}$(?!\n)"},
    "url": {"type": "string", "pattern": r"^[hH][tT][tT][pP][sS]?://[^\s/]+\S*$(?!\n)"},
    "select": {"type": "string"},
    "list": {"type": "array"},
    "json": {},
}


class PipelineField(BaseModel):
    """One field of a pipeline's records."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Name used in data and expressions.")
    name: str | None = Field(default=None, description="Label for people.")
    type: FieldType = Field(default="text", description="What the field holds.")
    required: bool = Field(default=False, description="A record without it is refused.")
    unique: bool = Field(default=False, description="A second record with the same value is a duplicate.")
    indexed: bool = Field(
        default=False, description="Searches and sorts by it are quick, as by a unique one."
    )
    options: list[str] | None = Field(default=None, description="Allowed values of a select field.")


class PipelineStage(BaseModel):
    """One stage; the order in the list is the order in which records pass."""

    model_config = ConfigDict(extra="forbid")
    id: str
    name: str | None = None


class PipelineSpec(BaseModel):
    """A pipeline as its author writes it."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    name: str | None = None
    fields: list[PipelineField] = Field(default_factory=list)
    stages: list[PipelineStage] = Field(default_factory=list)

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a record's data; fields the pipeline does not name are allowed."""
        properties = {}
        for field in self.fields:
            schema = dict(_SCHEMAS[field.type])
            if field.options is not None:
                schema["enum"] = field.options
            properties[field.id] = schema if field.required else {"anyOf": [schema, {"type": "null"}]}
        required = [field.id for field in self.fields if field.required]
        return {"type": "object", "properties": properties, "required": required}

    def problems(self, data: dict[str, Any]) -> list[str]:
        """What about `data` does not fit, one sentence each; empty where it fits."""
        found = []
        for error in self._validator.iter_errors(data):
            best = error.context[0] if error.context else error
            if error.validator == "type" and error.instance is None and error.absolute_path:
                found.append(f"field {error.absolute_path[0]!r} is required")
            elif error.validator == "required":
                missing = [field.id for field in self.fields if field.required and field.id not in data]
                found += [f"field {name!r} is required" for name in missing]
            else:
                found.append(f"field {'.'.join(map(str, error.absolute_path))!r}: {best.message}")
        return list(dict.fromkeys(found))

    @cached_property
    def _validator(self) -> Validator:
        from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - half the import time of a task that writes nothing

        formats = FormatChecker(formats=["date"])
        # jsonschema knows this format only with a further package.
        formats.checks("date-time", raises=ValueError)(_is_datetime)
        return Draft202012Validator(self.json_schema(), format_checker=formats)


def _is_datetime(value: object) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value)
        return len(value) > len("2026-01-31")
    return True


def parse_spec(document: Any, source: str) -> PipelineSpec:
    """A pipeline from a parsed document.

    Raises:
        UserError: It is none; every reason is named.
    """
    try:
        spec = PipelineSpec.model_validate(document)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, one['loc'])) or 'the document'}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise UserError(f"{source} is not a pipeline: " + "; ".join(found)) from None
    fields, stages = [field.id for field in spec.fields], [stage.id for stage in spec.stages]
    found = [
        f"field {one!r}: the store keeps it for every record" for one in fields if one in RESERVED_FIELDS
    ]
    for kind, ids in (("field", fields), ("stage", stages)):
        found += [f"{kind} {one!r} is there twice" for one in dict.fromkeys(ids) if ids.count(one) > 1]
    if found:
        raise UserError(f"{source} is not a pipeline: " + "; ".join(found), hint="choose other ids")
    return spec


def apply(session: Session, tenant_id: str, spec: PipelineSpec) -> None:
    """Create the pipeline, or bring it to `spec`."""
    values = {
        "name": spec.name or spec.id,
        "fields": [field.model_dump() for field in spec.fields],
        "stages": [stage.model_dump() for stage in spec.stages],
    }
    statement = insert(Pipeline).values(tenant_id=tenant_id, id=spec.id, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "id"], set_={**values, "updated_at": func.now()}
        )
    )


def get(session: Session, pipeline_id: str) -> PipelineSpec:
    """The pipeline.

    Raises:
        NotFoundError: No pipeline of that id; the message names the nearest.
    """
    row = session.scalar(select(Pipeline).where(Pipeline.id == pipeline_id))
    if row is None:
        known = list(session.scalars(select(Pipeline.id)))
        raise NotFoundError(f"there is no pipeline {pipeline_id!r}", hint=did_you_mean(pipeline_id, known))
    return PipelineSpec.model_validate(
        {"id": row.id, "name": row.name, "fields": row.fields, "stages": row.stages}
    )


def all_pipelines(session: Session) -> list[PipelineSpec]:
    """Every pipeline of the tenant."""
    rows = session.scalars(select(Pipeline).order_by(Pipeline.id))
    return [
        PipelineSpec.model_validate(
            {"id": row.id, "name": row.name, "fields": row.fields, "stages": row.stages}
        )
        for row in rows
    ]


def check(spec: PipelineSpec, data: dict[str, Any]) -> None:
    """Nothing where `data` fits the pipeline.

    Raises:
        InvalidRecordError: It does not; every reason is named.
    """
    problems = spec.problems(data)
    if problems:
        raise InvalidRecordError(
            f"the record does not fit pipeline {spec.id!r}: " + "; ".join(problems),
            hint="correct the values, or set skip_validation",
        )
