"""Whether it is the turn of an execution that is due: what `settings.start` of its workflow says at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from dag_factory.definition import StartPolicy
from oneo.store import dag_runs, executions, families, locks, quotas, starts, suppressions, triggers
from oneo.store.models import Execution
from oneo.store.quotas import Wait
from oneo_app.dispatcher import airflow_runs
from oneo_app.dispatcher.enrolling import suppressed
from oneo_operators.cancelling import cancel

# The end of the other one is what wakes it; this is for a dispatcher that did not live to do so.
LOOK_AGAIN_SECONDS = 60


def has_turn(session: Session, row: Execution) -> bool:
    """Whether the execution may start now (system session).

    One that may not is put off or cancelled, with the reason. Where it takes the place of others, these are cancelled.
    The workflow stays locked until the transaction ends: two dispatchers never start what excludes each other.
    """
    try:
        policy = StartPolicy.model_validate(triggers.policy_of(session, row.tenant_id, row.workflow_id))
    except ValueError as error:
        # It is checked at publish: one that cannot be read came in another way, and must not stop the queue.
        executions.postpone(session, row, LOOK_AGAIN_SECONDS, f"settings.start cannot be read: {error}")
        return False
    if row.event_id is not None and _is_suppressed(session, row, policy.suppression_lists):
        return False
    if policy.overlap in ("queue", "cancel_previous") or _queues(policy):
        locks.lock_values(session, row.tenant_id, row.workflow_id, [("start", None)])
    if policy.overlap == "queue" and _waits(session, row, policy):
        return False
    if policy.max_executions_per_hour is not None and policy.on_limit == "queue":
        most = policy.max_executions_per_hour
        wait = quotas.wait_of_workflow(session, row.tenant_id, row.workflow_id, most)
        if wait is not None:
            quotas.postpone_due(session, row.tenant_id, wait, workflow_id=row.workflow_id)
            return False
    if policy.overlap == "cancel_previous":
        _take_place(session, row, policy)
    return True


def _is_suppressed(session: Session, row: Execution, lists: Sequence[str]) -> bool:
    """Cancel an execution about somebody who was put on a list since it was queued; of a batch, only leave them out."""
    records = _batch(row)
    found = [suppressions.listed(session, row.tenant_id, lists, one) for one in records or [row.data]]
    listed = [one for one in found if one is not None]
    if len(listed) == len(found):
        cancel(session, row, {"type": "Suppressed", "message": suppressed(*listed[0])})
        return True
    if listed:
        left = [record for record, one in zip(records, found, strict=True) if one is None]
        row.data = {**row.data, "records": left, "count": len(left)}
    return False


def _batch(row: Execution) -> list[dict[str, Any]]:
    """The records of a batch's execution; empty for any other."""
    ids, records = set(map(str, row.record_ids or ())), row.data.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        return []
    return records if ids and {one.get("id") for one in records} <= ids else []


def _queues(policy: StartPolicy) -> bool:
    return policy.max_executions_per_hour is not None and policy.on_limit == "queue"


def _waits(session: Session, row: Execution, policy: StartPolicy) -> bool:
    """Put an execution off until the one before it has ended; returns whether there is one."""
    same_record = policy.overlap_key == "record"
    other = starts.before(session, row, same_record=same_record)
    if other is None:
        return False
    reason = f"execution {other} comes before it (settings.start.overlap: queue)"
    if same_record:
        executions.postpone(session, row, LOOK_AGAIN_SECONDS, reason)
        row.held = True
    else:
        until = datetime.now(UTC) + timedelta(seconds=LOOK_AGAIN_SECONDS)
        wait = Wait(reason, until)
        quotas.postpone_due(session, row.tenant_id, wait, workflow_id=row.workflow_id, held=True)
    return True


def _take_place(session: Session, row: Execution, policy: StartPolicy) -> None:
    """Cancel the executions that an execution takes the place of, with their DAG runs."""
    for other in starts.previous(session, row, same_record=policy.overlap_key == "record"):
        if not families.has_dag_run(other):
            continue
        has_run = other.status != "pending" and not dag_runs.waits_in_run(other)
        message = f"execution {row.id} took its place (settings.start.overlap: cancel_previous)"
        cancel(session, other, {"type": "Superseded", "message": message})
        if has_run:
            airflow_runs.cancel_run(other.dag_id, other.run_id)
