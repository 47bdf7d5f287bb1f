"""Tenants: who the rows belong to."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.store.models import Execution, Tenant
from oneo.store.quotas import QUOTAS

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_LENGTH = 60
# The name under which secrets and connections of all tenants are kept.
RESERVED = {"shared"}
# Settings a tenant may have.
ERROR_WORKFLOW = "error_workflow"
# Days after which handled events go; the installation's where it is not set.
EVENT_DAYS = "event_retention_days"
# Those that are whole numbers, each with the least and the most it may be.
NUMBERS = {**dict.fromkeys(QUOTAS, (0, 10**12 - 1)), EVENT_DAYS: (1, 36_500)}
SETTINGS = (ERROR_WORKFLOW, *NUMBERS)


def check_id(tenant_id: str) -> str:
    """The id itself, where it can be one.

    Raises:
        UserError: The id could collide with another tenant's DAG ids, secrets or files.
    """
    if not _ID.fullmatch(tenant_id) or len(tenant_id) > MAX_LENGTH or tenant_id in RESERVED:
        raise UserError(
            f"{tenant_id!r} cannot be a tenant id",
            hint=f"lower-case letters, digits and single hyphens, at most {MAX_LENGTH} characters, "
            f"and not {', '.join(sorted(RESERVED))}",
        )
    return tenant_id


def ensure(session: Session, tenant_id: str, name: str | None = None) -> None:
    """Create the tenant where it does not exist (system session)."""
    check_id(tenant_id)
    session.execute(insert(Tenant).values(id=tenant_id, name=name or tenant_id).on_conflict_do_nothing())


def create(session: Session, tenant_id: str, name: str | None = None) -> None:
    """Create a tenant (system session).

    Raises:
        UserError: The id cannot be one, or there is such a tenant already.
    """
    check_id(tenant_id)
    new = insert(Tenant).values(id=tenant_id, name=name or tenant_id).on_conflict_do_nothing()
    if session.execute(new.returning(Tenant.id)).scalar() is None:
        raise UserError(f"there is a tenant {tenant_id!r} already", hint="choose another id")


def get(session: Session, tenant_id: str) -> Tenant:
    """The tenant.

    Raises:
        NotFoundError: No such tenant.
    """
    row = session.scalar(select(Tenant).where(Tenant.id == tenant_id))
    if row is None:
        raise NotFoundError(f"there is no tenant {tenant_id!r}", hint="`oneo tenants list` shows all")
    return row


def settings_of(session: Session, tenant_id: str) -> dict[str, Any]:
    """The tenant's settings."""
    return dict(session.scalar(select(Tenant.settings).where(Tenant.id == tenant_id)) or {})


def set_setting(session: Session, tenant_id: str, name: str, value: Any) -> None:
    """Change one of the tenant's settings; None takes it away (system session)."""
    row = session.scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).one()
    row.settings = {key: held for key, held in {**row.settings, name: value}.items() if held is not None}
    session.flush()


def all_tenants(session: Session) -> list[Tenant]:
    """Every tenant, by id (system session)."""
    return list(session.scalars(select(Tenant).order_by(Tenant.id)))


def running(session: Session) -> int:
    """How many executions of the tenant are under way; those that wait to be started are not."""
    query = select(func.count()).select_from(Execution)
    return session.scalar(query.where(Execution.status.in_(("running", "waiting")))) or 0


def remove(session: Session, tenant_id: str) -> dict[str, int]:
    """Delete every row of the tenant in every table, the tenant itself last (removal session).

    The tables are the database's own, so that none of a later version is forgotten.

    Returns:
        How many rows each table had, by its name.

    Raises:
        NotFoundError: No such tenant.
    """
    # Whoever writes a row of the tenant waits from here on, and then finds that there is no such tenant.
    locked = session.scalar(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())
    if locked is None:
        raise NotFoundError(f"there is no tenant {tenant_id!r}", hint="`oneo tenants list` shows all")
    tables = [name for name in _tables(session) if name != Tenant.__tablename__]
    counts = {name: session.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in tables}  # noqa: S608
    # A record that is deleted leaves an event behind: whatever order, the second time nothing comes after it.
    for name in (*tables, *tables):
        session.execute(text(f"DELETE FROM {name}"))  # noqa: S608
    session.execute(delete(Tenant).where(Tenant.id == tenant_id))
    return {**counts, Tenant.__tablename__: 1}


def _tables(session: Session) -> list[str]:
    """Every table with rows of tenants, quoted, those that refer to another before it."""
    rows = session.execute(
        text(
            "SELECT quote_ident(c.relname), array_remove(array_agg(quote_ident(r.relname)), NULL)"
            " FROM pg_class c LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'"
            " AND f.confrelid <> c.oid LEFT JOIN pg_class r ON r.oid = f.confrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity"
            " GROUP BY c.relname"
        )
    )
    refers_to: dict[str, list[str]] = {row[0]: row[1] for row in rows}
    return list(reversed(list(TopologicalSorter(refers_to).static_order())))
