"""A pipeline's source against the real table: all that is wrong at once, and what the pipeline need not say itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.sql_table import kinds
from oneo.store.pipeline_spec import PipelineField, PipelineSpec
from oneo.store.record_data import SYSTEM_FIELDS
from oneo.store.table_source import TableSource
from oneo.suggest import did_you_mean

_COLUMNS = text("""
    SELECT a.attname AS name,
        CASE WHEN coalesce(b.typtype, t.typtype) = 'e' THEN 'enum' ELSE coalesce(b.typname, t.typname) END AS kind,
        a.attnotnull AS required,
        a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS has_default,
        a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
        EXISTS (
            SELECT FROM pg_index AS i
            WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1
                AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indexprs IS NULL
        ) AS is_unique,
        ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = coalesce(b.oid, t.oid) ORDER BY enumsortorder) AS labels
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :table AND c.relkind IN ('r', 'p')
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")
_TABLES = text("""
    SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1 LIMIT 10000
""")


@dataclass(frozen=True)
class ColumnFacts:
    """A column of a real table.

    Attributes:
        kind: PostgreSQL's name of its type; that of its base where it is a domain.
        required: Whether it must have a value.
        has_default: Whether it gets one where none is given.
        is_generated: Whether none may be given.
        is_unique: Whether an index keeps it unique by itself.
        labels: Its values, where its type lists them.
    """

    name: str
    kind: str
    required: bool
    has_default: bool
    is_generated: bool
    is_unique: bool
    labels: list[str]


def checked(session: Session, spec: PipelineSpec) -> PipelineSpec:
    """The pipeline with what follows from its table: types of columns, fields it does not declare.

    Args:
        session: A session of the table's database.
        spec: The pipeline; it has a source.

    Raises:
        UserError: The source does not go with the table; everything that is wrong is named.
    """
    source = spec.source
    assert source is not None  # noqa: S101 - nobody asks about others
    schema, table = source.schema_and_table
    rows = session.execute(_COLUMNS, {"schema": schema, "table": table}).mappings()
    columns = {row["name"]: ColumnFacts(**row) for row in rows}
    if not columns:
        known = [str(one) for one in session.scalars(_TABLES)]
        raise UserError(
            f"pipeline {spec.id!r}: source.table: connection {source.connection_id!r} shows no table "
            f"{schema + '.' + table!r}",
            hint=did_you_mean(f"{schema}.{table}", known),
        )
    problems = list(_problems(spec, source, columns))
    if problems:
        raise UserError(
            f"pipeline {spec.id!r} does not go with the table {source.table!r}: " + "; ".join(problems),
            hint="correct the source",
        )
    types = {column: columns[column].kind for _, column in source.columns()}
    declared = {one.id: one for one in spec.fields}
    fields = [declared.get(name) or _field(name, columns[column]) for name, column in source.fields.items()]
    fields += [one for one in spec.fields if one.id not in source.fields]
    return spec.model_copy(update={"fields": fields, "source": source.model_copy(update={"types": types})})


def _field(name: str, column: ColumnFacts) -> PipelineField:
    """The field that follows from a column."""
    needs = column.required and not column.has_default and not column.is_generated
    return PipelineField(
        id=name,
        type=kinds.field_types(column.kind)[0],
        required=needs,
        unique=column.is_unique,
        options=column.labels or None,
    )


def _problems(spec: PipelineSpec, source: TableSource, columns: dict[str, ColumnFacts]) -> Iterator[str]:
    held: dict[str, str] = {}
    for place, name in source.columns():
        column = columns.get(name)
        if column is None:
            yield f"source.{place}: there is no column {name!r} ({did_you_mean(name, columns)})"
            continue
        if name in held and not (held[name] == "key" and place.startswith("fields.")):
            yield f"source.{place}: column {name!r} is mapped as {held[name]} already"
        held[name] = place
        yield from _of_column(place, column)
    for one in spec.fields:
        column = columns.get(source.fields.get(one.id, ""))
        if column is None:
            continue
        allowed = kinds.field_types(column.kind)
        if allowed and one.type not in allowed:
            yield f"field {one.id!r} is {one.type}, and its column of type {column.kind} holds {' or '.join(allowed)}"
        if one.unique and not column.is_unique:
            yield f"field {one.id!r} cannot be unique: column {column.name!r} has no unique index of its own"
    key = columns.get(source.key)
    if (
        key is not None
        and source.key not in source.fields.values()
        and not key.has_default
        and key.kind != "uuid"
    ):
        yield f"source.key: column {key.name!r} has no default, so new rows need it: map it in source.fields, too"


def _of_column(place: str, column: ColumnFacts) -> Iterator[str]:
    """What is wrong with a column in its place."""
    kind = column.kind
    if place == "key":
        if kind not in (*kinds.INTEGERS, "uuid", "text", "varchar"):
            yield f"source.key: column {column.name!r} is of type {kind}; a key is a whole number, a text or a uuid"
        if not column.is_unique or not column.required:
            yield f"source.key: column {column.name!r} is not unique and not null by itself; name the primary key"
    elif place.startswith("fields."):
        if not kinds.field_types(kind):
            yield f"source.{place}: no field can hold column {column.name!r} of type {kind}; leave it out"
    elif place == "version":
        if kind not in kinds.INTEGERS:
            yield f"source.version: column {column.name!r} is of type {kind}, and counts whole numbers"
    elif place in SYSTEM_FIELDS:
        if kind not in (*kinds.INTEGERS, *kinds.TEXTS, "uuid", kinds.ENUM):
            yield f"source.{place}: column {column.name!r} is of type {kind}; it has to be a text or a whole number"
    elif kind not in ("timestamp", "timestamptz"):
        yield f"source.{place}: column {column.name!r} is of type {kind}; it has to be a timestamp"
