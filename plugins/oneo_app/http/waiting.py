"""Waiting for what an event leads to, without holding a thread meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from oneo.database import database
from oneo.store import executions
from oneo.store.executions import FINAL
from oneo.store.models import Execution, InboxEvent
from oneo.store.timers import address

LOOK_EVERY_SECONDS = 0.2


async def outcome(
    tenant_id: str, workflow_id: str, node_id: str, event_id: int, seconds: float
) -> dict[str, Any]:
    """How the execution that an event starts has ended, or how far it is when the time is up.

    Returns:
        `execution`, `status` and, of one that succeeded, `output`; the status is `refused`, with the reason, where the
        event starts none.
    """
    end = time.monotonic() + seconds
    while True:
        found = await run_in_threadpool(_look, tenant_id, workflow_id, node_id, event_id)
        left = end - time.monotonic()
        if found["status"] in (*FINAL, "refused") or left <= 0:
            return found
        await asyncio.sleep(min(LOOK_EVERY_SECONDS, left))


def _look(tenant_id: str, workflow_id: str, node_id: str, event_id: int) -> dict[str, Any]:
    with database().tenant(tenant_id) as session:
        event = session.get(InboxEvent, (tenant_id, event_id))
        decision = (event.decisions or {}).get(address(workflow_id, node_id), {}) if event is not None else {}
        # One that was gathered with others is part of the first one's execution.
        promised = decision.get("execution")
        execution_id = (
            UUID(promised) if promised else executions.id_for_event(tenant_id, workflow_id, event_id)
        )
        row = session.get(Execution, (tenant_id, execution_id))
        if row is not None:
            ended = {"output": row.output} if row.status == "success" else {}
            return {"execution": str(execution_id), "status": row.status, **ended}
    if decision.get("outcome") in ("refused", "kept_out", "stopped"):
        return {"status": "refused", "reason": decision.get("reason", "")}
    return {"execution": str(execution_id), "status": "pending"}
