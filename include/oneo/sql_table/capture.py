"""What is set up in a tenant's database: an account of effects, and a trigger that notes changes of a table."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.sql_table.layout import Layout
from oneo.sql_table.ledger import SCHEMA

CHANNEL = "oneo_capture"

_ACCOUNT = (
    "CREATE SCHEMA IF NOT EXISTS oneo_capture",
    """CREATE TABLE IF NOT EXISTS oneo_capture.applied (
    key text PRIMARY KEY,
    result jsonb,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)""",
    "CREATE INDEX IF NOT EXISTS applied_at ON oneo_capture.applied (at)",
)
# Its own rights: whoever writes the table need not know of this. Its arguments are the reader, then its columns.
_CHANGES = (
    """CREATE TABLE IF NOT EXISTS oneo_capture.change (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    reader text NOT NULL,
    before jsonb,
    after jsonb,
    execution text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)""",
    "CREATE INDEX IF NOT EXISTS change_reader ON oneo_capture.change (reader, number)",
    """CREATE OR REPLACE FUNCTION oneo_capture.note() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $note$
DECLARE
    was jsonb;
    is_now jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT jsonb_object_agg(key, value) INTO was
            FROM jsonb_each(to_jsonb(OLD)) WHERE key = ANY (TG_ARGV[1:]);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT jsonb_object_agg(key, value) INTO is_now
            FROM jsonb_each(to_jsonb(NEW)) WHERE key = ANY (TG_ARGV[1:]);
    END IF;
    IF was IS DISTINCT FROM is_now THEN
        INSERT INTO oneo_capture.change (reader, before, after, execution)
            VALUES (TG_ARGV[0], was, is_now, current_setting('oneo.execution', true));
        PERFORM pg_notify('oneo_capture', TG_ARGV[0]);
    END IF;
    RETURN NULL;
END
$note$""",
    "REVOKE ALL ON FUNCTION oneo_capture.note() FROM PUBLIC",
)


def reader_of(tenant_id: str, pipeline_id: str) -> str:
    """What the reader of a pipeline's changes is called there."""
    return f"{tenant_id}/{pipeline_id}"


def statements(tenant_id: str, layout: Layout, login: str | None) -> list[str]:
    """The SQL that sets up what a pipeline's source asks for; running it again changes nothing.

    Args:
        tenant_id: The tenant.
        layout: The pipeline's table.
        login: Who will use it, should another run the statements.
    """
    captures = layout.source.capture == "trigger"
    parts: list[Any] = [*_ACCOUNT, *(_CHANGES if captures else ())]
    parts += _grants(login, captures=captures) if login else ()
    parts.append(_set_trigger(tenant_id, layout) if captures else _drop_trigger(tenant_id, layout))
    return [one if isinstance(one, str) else one.as_string(None) for one in parts]


def removal(tenant_id: str, layout: Layout) -> list[str]:
    """The SQL that takes away the trigger; the account stays, for other pipelines and for what is under way."""
    return [_drop_trigger(tenant_id, layout).as_string(None)]


def run(session: Session, commands: list[str], name: str) -> None:
    """Run statements in a tenant's database.

    Raises:
        UserError: This login may not.
    """
    # One at a time for each database, or two would create the schema at once.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('oneo_capture', 0))"))
    try:
        for one in commands:
            session.connection().exec_driver_sql(one.replace("%", "%%"))
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise UserError(
            f"{name}: this login may not set it up: {reason}",
            hint="hand the statements of --print-sql to whoever may",
        ) from None


def is_captured(session: Session, tenant_id: str, layout: Layout) -> bool:
    """Whether the table has this pipeline's trigger, for the columns that it maps today."""
    found = session.scalar(
        text(
            "SELECT t.tgargs FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relname = :table AND t.tgname = :name AND t.tgenabled <> 'D'"
        ),
        {
            **dict(zip(("schema", "table"), layout.source.schema_and_table, strict=True)),
            "name": _trigger_name(tenant_id, layout),
        },
    )
    wanted = [reader_of(tenant_id, layout.spec.id), *_columns(layout)]
    return found is not None and bytes(found).decode().split("\x00")[:-1] == wanted


def _columns(layout: Layout) -> list[str]:
    return sorted({column for _, column in layout.source.columns()})


def _trigger_name(tenant_id: str, layout: Layout) -> str:
    return "oneo_" + sha256(reader_of(tenant_id, layout.spec.id).encode()).hexdigest()[:24]


def _set_trigger(tenant_id: str, layout: Layout) -> sql.Composed:
    arguments = [reader_of(tenant_id, layout.spec.id), *_columns(layout)]
    return sql.SQL(
        "CREATE OR REPLACE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {}"
        " FOR EACH ROW EXECUTE FUNCTION oneo_capture.note({})"
    ).format(
        sql.Identifier(_trigger_name(tenant_id, layout)),
        sql.Identifier(*layout.source.schema_and_table),
        sql.SQL(", ").join(map(sql.Literal, arguments)),
    )


def _drop_trigger(tenant_id: str, layout: Layout) -> sql.Composed:
    return sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(
        sql.Identifier(_trigger_name(tenant_id, layout)), sql.Identifier(*layout.source.schema_and_table)
    )


def _grants(login: str, *, captures: bool) -> Iterator[sql.Composed]:
    who, schema = sql.Identifier(login), sql.Identifier(SCHEMA)
    yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, who)
    yield sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {}.applied TO {}").format(schema, who)
    if captures:
        yield sql.SQL("GRANT SELECT, DELETE ON {}.change TO {}").format(schema, who)
