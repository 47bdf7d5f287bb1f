"""Executions that are ended before they are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oneo.store import executions, log
from oneo_operators.orphans import close_inside

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.store.models import Execution


def cancel(session: Session, execution: Execution, error: Mapping[str, Any]) -> None:
    """End an execution as cancelled, with what is at work or waits in it; its DAG run is the caller's to end.

    Args:
        session: A session that may write this tenant's executions.
        execution: The execution, locked.
        error: Type and message of the reason.
    """
    log.close_running(session, execution.tenant_id, execution.id, error)
    close_inside(session, execution)
    executions.finish(session, execution, "cancelled", error=error)
