"""A pipeline as its author writes it: fields, stages and schema of its records, and whether given data fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oneo import closed_schema
from oneo.errors import UserError
from oneo.store.record_data import RESERVED_FIELDS, SYSTEM_FIELDS
from oneo.store.table_source import TableSource
from oneo.suggest import did_you_mean

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
    "email": {"type": "string", "pattern": r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\z"},
    "phone": {"type": "string", "pattern": r"^[+()0-9 ./-]{4,30}\z"},
    "url": {"type": "string", "pattern": r"^[hH][tT][tT][pP][sS]?://[^\s/]+\S*\z"},
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
    unique: bool = Field(
        default=False, description="A second record with the same value is refused; an empty value is none."
    )
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
    record_schema: dict[str, Any] | None = Field(
        default=None, description="JSON Schema (2020-12) of a record's data, beyond what the fields say."
    )
    source: TableSource | None = Field(
        default=None, description="The table of your own that holds the records; without one, our store does."
    )

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema that follows from the fields; what the pipeline does not name is allowed."""
        properties = {}
        for field in self.fields:
            schema = dict(_SCHEMAS[field.type])
            if field.options is not None:
                schema["enum"] = field.options
            properties[field.id] = schema if field.required else {"anyOf": [schema, {"type": "null"}]}
        required = [field.id for field in self.fields if field.required]
        return {"type": "object", "properties": properties, "required": required}

    def problems(self, data: Mapping[str, Any]) -> list[str]:
        """What about `data` does not fit, one sentence each; empty where it fits."""
        found = [*self._of_fields(data), *self._of_schema(data), *self._of_stage(data.get("stage"))]
        return list(dict.fromkeys(found))

    def _of_fields(self, data: Mapping[str, Any]) -> Iterator[str]:
        for error in closed_schema.errors(self._schema_of_fields, data):
            best = error.context[0] if error.context else error
            if error.validator == "type" and error.instance is None and error.absolute_path:
                yield f"field {error.absolute_path[0]!r} is required"
            elif error.validator == "required":
                missing = [field.id for field in self.fields if field.required and field.id not in data]
                yield from (f"field {name!r} is required" for name in missing)
            else:
                yield f"field {'.'.join(map(str, error.absolute_path))!r}: {best.message}"

    def _of_schema(self, data: Mapping[str, Any]) -> Iterator[str]:
        for error in closed_schema.errors(self.record_schema or {}, data):
            place = ".".join(map(str, error.absolute_path))
            yield f"field {place!r}: {error.message}" if place else error.message

    def _of_stage(self, stage: Any) -> Iterator[str]:
        known = [one.id for one in self.stages]
        if known and stage is not None and stage not in known:
            yield f"there is no stage {stage!r} ({did_you_mean(str(stage), known)})"

    @cached_property
    def _schema_of_fields(self) -> dict[str, Any]:
        return self.json_schema()


def _of_source(spec: PipelineSpec) -> Iterator[str]:
    """What about the fields of a pipeline does not go with a table of its own."""
    if spec.source is None:
        return
    mapped = [*spec.source.fields, *SYSTEM_FIELDS]
    yield from (
        f"field {one.id!r} has no column in source.fields ({did_you_mean(one.id, mapped)})"
        for one in spec.fields
        if one.id not in mapped
    )
    yield from (
        f"field {one.id!r} cannot be indexed here: make an index of its column instead"
        for one in spec.fields
        if one.indexed
    )
    yield from (
        f"source.fields: {name!r} is the store's own name; map it as source.{name}"
        for name in spec.source.fields
        if name in (*RESERVED_FIELDS, *SYSTEM_FIELDS)
    )


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
    found += [
        f"field {field.id!r} cannot be unique: it is no field of the data"
        for field in spec.fields
        if field.unique and field.id in SYSTEM_FIELDS and field.id != "external_id"
    ]
    found += _of_source(spec)
    if found:
        raise UserError(f"{source} is not a pipeline: " + "; ".join(found), hint="correct the file")
    wrong = closed_schema.problems(spec.record_schema or {})
    if wrong:
        places = "; ".join(f"record_schema.{one}" for one in wrong)
        raise UserError(f"{source} is not a pipeline: {places}", hint="correct the JSON Schema")
    return spec
