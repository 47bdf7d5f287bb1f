"""The names of a tenant's quotas, and what they are set to."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.store.models import Tenant

PER_HOUR: Final = "max_executions_per_hour"
ACTIVE: Final = "max_active_executions"
RECORDS: Final = "max_records"
STORAGE: Final = "max_storage_mb"
# Settings of a tenant that are quotas: whole numbers from 0; one that is not set is not limited.
QUOTAS: Final = (PER_HOUR, ACTIVE, RECORDS, STORAGE)


def limit_of(session: Session, tenant_id: str, name: str) -> int | None:
    """What a quota is set to; None where there is no limit.

    Asked once for each transaction: a workflow creates hundreds of records in one.
    """
    known: dict[str, dict[str, Any]] = session.info.setdefault("limits", {})
    if tenant_id not in known:
        known[tenant_id] = session.scalar(select(Tenant.settings).where(Tenant.id == tenant_id)) or {}
    return known[tenant_id].get(name)
