"""Where the records of a pipeline are, when they are in a table of the tenant's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

# Any name that PostgreSQL can have but the empty one: it is looked up, and quoted wherever it is used.
Column = Annotated[str, Field(min_length=1, max_length=63)]
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RECORDS = UUID("6f2b7c1e-1b0a-5c5e-9c0e-0d6a3c7e4a11")


def _field(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise ValueError("a field's name is letters, digits and _, and begins with no digit")
    return name


class TableSource(BaseModel):
    """A table of a PostgreSQL database, and which of its columns hold what of a record."""

    model_config = ConfigDict(extra="forbid")
    connection_id: str = Field(
        min_length=1, description="Name of the tenant's Airflow connection, of type postgres."
    )
    table: str = Field(min_length=1, description="The table, `schema.table`; without a schema, in `public`.")
    key: Column = Field(
        default="id", description="The column that tells its rows: its only primary or unique key."
    )
    fields: dict[Annotated[str, AfterValidator(_field)], Column] = Field(
        description="Field of the record to column of the table; other columns are left alone."
    )
    stage: Column | None = Field(default=None, description="Column of a record's stage.")
    owner: Column | None = Field(default=None, description="Column of its owner.")
    external_id: Column | None = Field(default=None, description="Column of its id in another system.")
    version: Column | None = Field(
        default=None, description="Whole number that every change counts up; `expected_version` needs it."
    )
    created_at: Column | None = Field(default=None, description="Time at which it came to be; its age.")
    updated_at: Column | None = Field(
        default=None, description="Time of its last change; every program that writes the table must set it."
    )
    deleted_at: Column | None = Field(
        default=None,
        description="Time at which it was deleted, empty for one that is not; soft deletes need it.",
    )
    capture: Literal["trigger", "polling", "none"] = Field(
        default="none",
        description="How changes of the table start workflows: a trigger there notes them, or they are looked for by "
        "`updated_at`, or not at all.",
    )
    poll_seconds: float = Field(default=10, ge=0.1, le=86_400, description="With `polling`: how often.")
    types: dict[str, str] = Field(
        default_factory=dict, description="Types of the columns; looked up when the pipeline is applied."
    )

    @model_validator(mode="after")
    def _complete(self) -> TableSource:
        if self.capture == "polling" and self.updated_at is None:
            raise ValueError("capture `polling` needs an `updated_at` column")
        if not self.fields:
            raise ValueError("`fields` maps at least one field")
        return self

    @property
    def schema_and_table(self) -> tuple[str, str]:
        """The table's name in its parts."""
        schema, dot, table = self.table.rpartition(".")
        return (schema, table) if dot else ("public", table)

    def columns(self) -> Iterator[tuple[str, str]]:
        """(Path in the source, column) of everything that is mapped."""
        yield "key", self.key
        yield from ((f"fields.{name}", column) for name, column in self.fields.items())
        for name in ("stage", "owner", "external_id", "version", "created_at", "updated_at", "deleted_at"):
            column = getattr(self, name)
            if column is not None:
                yield name, column


def record_id(tenant_id: str, pipeline_id: str, key: str) -> UUID:
    """What a row is called where ids are UUIDs: in events and executions. The row's own id is its key."""
    return uuid5(_RECORDS, f"{tenant_id}/{pipeline_id}/{key}")
