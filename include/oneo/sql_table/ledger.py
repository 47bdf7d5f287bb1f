"""The account that a tenant's database keeps of what was done in it, so that nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Column, DateTime, MetaData, Table, Text, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from oneo.database import plain_json

T = TypeVar("T")
SCHEMA = "oneo_capture"
APPLIED = Table(
    "applied",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("result", JSONB(none_as_null=True)),
    Column("at", DateTime(timezone=True)),
    schema=SCHEMA,
)
# Long after the last attempt of a node that anybody will make.
KEPT_DAYS = 90


def is_kept(session: Session, table: str, *privileges: str) -> bool:
    """Whether the capture schema has a table that this login may use in these ways."""
    return bool(
        session.scalar(
            text(
                "SELECT bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, wanted))"
                " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
                " CROSS JOIN unnest(CAST(:privileges AS text[])) AS wanted"
                " WHERE n.nspname = :schema AND c.relname = :table"
            ),
            {"schema": SCHEMA, "table": table, "privileges": list(privileges)},
        )
    )


def once(session: Session, key: str, work: Callable[[], T]) -> T:
    """What `work` gives as plain JSON, kept in its own transaction; what it gave before under this key, if it did.

    Two that have the same key wait for each other.
    """
    claimed = insert(APPLIED).values(key=key).on_conflict_do_nothing().returning(APPLIED.c.key)
    if session.execute(claimed).scalar() is None:
        kept: Any = session.scalar(select(APPLIED.c.result).where(APPLIED.c.key == key))
        return kept  # type: ignore[no-any-return]
    result: T = plain_json(work())
    session.execute(update(APPLIED).where(APPLIED.c.key == key).values(result=result))
    return result


def clean(session: Session) -> int:
    """Forget what was done long ago; returns how much."""
    limit = func.clock_timestamp() - func.make_interval(0, 0, 0, bindparam("days", KEPT_DAYS))
    gone = session.execute(APPLIED.delete().where(APPLIED.c.at < limit).returning(APPLIED.c.key))
    return len(gone.all())
