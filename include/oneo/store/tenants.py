"""Tenants: who the rows belong to."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.store import holds, tenant_settings
from oneo.store.models import Execution, Tenant
from oneo.store.tenant_settings import TenantSettings

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_LENGTH = 60
# The name under which secrets and connections of all tenants are kept.
RESERVED = {"shared"}


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


def settings_of(session: Session, tenant_id: str) -> TenantSettings:
    """The tenant's settings."""
    held = session.scalar(select(Tenant.settings).where(Tenant.id == tenant_id))
    return TenantSettings.model_validate(held or {})


def set_setting(session: Session, tenant_id: str, name: str, value: Any) -> None:
    """Change one of the tenant's settings; None takes it away (system session).

    Raises:
        UserError: There is no such setting, or the value is none of it.
    """
    fit = tenant_settings.checked(name, value)
    row = session.scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).one()
    row.settings = {key: held for key, held in {**row.settings, name: fit}.items() if held is not None}
    session.flush()


def note_pool(session: Session, tenant_id: str, pool: str) -> None:
    """Keep that Airflow has a pool for the tenant's tasks (system session)."""
    this = (Tenant.id == tenant_id) & Tenant.pool.is_distinct_from(pool)
    session.execute(update(Tenant).where(this).values(pool=pool))


def lacks_pool(session: Session) -> bool:
    """Whether a tenant's tasks have no pool yet (system session)."""
    return session.scalar(select(Tenant.id).where(Tenant.pool.is_(None)).limit(1)) is not None


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
        UserError: Something of it is on legal hold.
    """
    # Whoever writes a row of the tenant waits from here on, and then finds that there is no such tenant.
    locked = session.scalar(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())
    if locked is None:
        raise NotFoundError(f"there is no tenant {tenant_id!r}", hint="`oneo tenants list` shows all")
    held = [holds.said(one) for one in holds.all_holds(session) if one.tenant_id == tenant_id]
    if held:
        raise UserError(f"nothing was removed: {'; '.join(held)}", hint=holds.HINT)
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
