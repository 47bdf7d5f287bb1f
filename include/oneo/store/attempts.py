"""What the log holds of a node's attempts when the next one begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from oneo.store import large
from oneo.store.log import CONFIG, NodeKey
from oneo.store.models import ExecutionLog


@dataclass(frozen=True)
class Kept:
    """What the attempt left after which there is no other.

    Attributes:
        error: How it failed; None where it succeeded.
    """

    output: Any
    context_updates: dict[str, Any] | None
    routes: tuple[str, ...]
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class Before:
    """What the log holds when an attempt of a node begins.

    Attributes:
        kept: What it left that counts, where it has ended.
        attempts: Number of the last attempt; 0 where there was none.
        resting: The config that the last attempt goes on with, where it waits for something.
        first_started: When the first attempt began: the moment all of them see as now.
        context: What nodes before it put into the context, by node id; those that put nothing there are left out.
    """

    kept: Kept | None
    attempts: int
    first_started: datetime | None
    context: dict[str, Any]
    resting: dict[str, Any] | None = None


def before(session: Session, key: NodeKey, context_from: Iterable[str] = ()) -> Before:
    """What there is to know before an attempt, in one look.

    Args:
        session: A tenant's session.
        key: The node.
        context_from: Ids of the nodes whose context updates it sees, all outside loops.
    """
    own = (ExecutionLog.node_id == key.node_id) & (ExecutionLog.loop_index == key.loop_index)
    others = (
        ExecutionLog.node_id.in_(list(context_from))
        & (ExecutionLog.loop_index == "")
        & ExecutionLog.status.in_(("success", "failed"))
    )
    rows = session.execute(
        select(
            own.label("own"),
            ExecutionLog.node_id,
            ExecutionLog.attempt,
            ExecutionLog.status,
            # Outputs may be large, and those of others are not needed.
            case((own, ExecutionLog.output)).label("output"),
            case((own, ExecutionLog.output_object)).label("output_object"),
            ExecutionLog.context_updates,
            ExecutionLog.context_object,
            ExecutionLog.routes,
            ExecutionLog.started_at,
        )
        .where(
            ExecutionLog.tenant_id == key.tenant_id,
            ExecutionLog.execution_id == key.execution_id,
            own | others,
        )
        .order_by(ExecutionLog.attempt)
    ).all()
    attempts = [row for row in rows if row.own]
    # Of several attempts of a node the one that succeeded counts, else the last, whose failure may have been handled.
    ended = {row.node_id: row for row in sorted(rows, key=_succeeded) if not row.own}
    success = next((row for row in attempts if row.status == "success"), None)
    return Before(
        kept=_kept(key.tenant_id, key.execution_id, success) if success else None,
        attempts=max((row.attempt for row in attempts), default=0),
        first_started=min((row.started_at for row in attempts), default=None),
        context={
            node: large.whole(key.tenant_id, key.execution_id, row.context_updates, row.context_object)
            for node, row in ended.items()
            if row.context_updates is not None
        },
        resting=_resting(key, attempts[-1]) if attempts else None,
    )


def earlier(
    session: Session, tenant_id: str, execution_id: UUID, nodes: Iterable[str], *, failures: bool
) -> dict[tuple[str, str], Before]:
    """What there is to know of the given nodes, by node id and loop index.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        execution_id: The execution.
        nodes: Ids of the nodes.
        failures: Whether a failure that nothing handled counts; without, it is one more attempt before the next.
    """
    rows = session.execute(
        select(
            ExecutionLog.node_id,
            ExecutionLog.loop_index,
            ExecutionLog.attempt,
            ExecutionLog.status,
            ExecutionLog.output,
            ExecutionLog.output_object,
            ExecutionLog.context_updates,
            ExecutionLog.context_object,
            ExecutionLog.routes,
            ExecutionLog.error,
            ExecutionLog.started_at,
        )
        .where(
            ExecutionLog.tenant_id == tenant_id,
            ExecutionLog.execution_id == execution_id,
            ExecutionLog.node_id.in_(list(nodes)),
        )
        .order_by(ExecutionLog.attempt)
    ).all()
    found: dict[tuple[str, str], Before] = {}
    for row in rows:
        known = found.get((row.node_id, row.loop_index))
        kept = known.kept if known else None
        # A failure that is tried again has no routes (NULL), one that nothing handles an empty list of them.
        is_last = row.status == "failed" and row.routes is not None and (failures or row.routes)
        if row.status == "success":
            kept = _kept(tenant_id, execution_id, row)
        elif kept is None and is_last:
            kept = replace(_kept(tenant_id, execution_id, row), error=row.error)
        first = known.first_started if known else row.started_at
        found[row.node_id, row.loop_index] = Before(kept, row.attempt, first, {})
    return found


def _kept(tenant_id: str, execution_id: UUID, row: Any) -> Kept:
    output = large.whole(tenant_id, execution_id, row.output, row.output_object)
    updates = large.whole(tenant_id, execution_id, row.context_updates, row.context_object)
    return Kept(output, updates, tuple(row.routes or ()))


def _resting(key: NodeKey, row: Any) -> dict[str, Any] | None:
    if row.status != "waiting":
        return None
    left = large.whole(key.tenant_id, key.execution_id, row.context_updates, row.context_object)
    found: dict[str, Any] = left[CONFIG]
    return found


def _succeeded(row: Any) -> bool:
    return bool(row.status == "success")
