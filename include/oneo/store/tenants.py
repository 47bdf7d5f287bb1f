"""Tenants: who the rows belong to."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.store.models import Tenant

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_LENGTH = 60
# The name under which secrets and connections of all tenants are kept.
RESERVED = {"shared"}
# Settings a tenant may have.
ERROR_WORKFLOW = "error_workflow"
SETTINGS = (ERROR_WORKFLOW,)


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


def settings_of(session: Session, tenant_id: str) -> dict[str, Any]:
    """The tenant's settings."""
    return dict(session.scalar(select(Tenant.settings).where(Tenant.id == tenant_id)) or {})


def set_setting(session: Session, tenant_id: str, name: str, value: Any) -> None:
    """Change one of the tenant's settings; None takes it away (system session)."""
    row = session.scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).one()
    row.settings = {key: held for key, held in {**row.settings, name: value}.items() if held is not None}
    session.flush()


def all_ids(session: Session) -> list[str]:
    """Every tenant's id (system session)."""
    return list(session.scalars(select(Tenant.id).order_by(Tenant.id)))
