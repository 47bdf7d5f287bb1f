"""What a deferred approval leaves with Airflow's triggerer: the wait for its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from oneo.database import Database
from oneo.store import approvals
from oneo_operators.triggers_news import NewsTrigger


class ApprovalTrigger(NewsTrigger):
    """Fires with an approval, once it has ended; with its id alone where it is no longer there.

    Args:
        tenant: Whose approval.
        approval_id: The approval.
    """

    def __init__(self, tenant: str, approval_id: str) -> None:
        super().__init__(tenant=tenant, approval_id=approval_id)
        self._tenant_id = tenant
        self._approval_id = UUID(approval_id)

    def look(self, store: Database) -> dict[str, Any] | None:
        """The approval as it has ended."""
        with store.tenant(self._tenant_id) as session:
            row = approvals.find(session, self._approval_id)
            if row is None:
                return {"approval_id": str(self._approval_id), "status": "gone"}
            return None if row.status == "pending" else approvals.view(row)
