"""Sub-workflows whose process ended before they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneo.store import executions, families, log

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.store.models import Execution


def close_inside(session: Session, execution: Execution) -> None:
    """End what an execution that ends has left open inside itself.

    A task that runs again goes on with its sub-workflows; once its execution has ended, no task does.
    """
    error = {
        "type": "Interrupted",
        "message": "the process that ran this sub-workflow ended before it did",
        "hint": f"`oneo runs show {execution.id}` shows the execution it was part of",
    }
    for child in families.open_inside(session, execution.tenant_id, execution.id):
        log.close_running(session, child.tenant_id, child.id, error)
        executions.finish(session, child, "failed", error=error)
