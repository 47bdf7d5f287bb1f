"""The execution log: one row per node attempt, and what later nodes and people read from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import InfrastructureError
from oneo.store.models import ExecutionLog


@dataclass(frozen=True)
class NodeKey:
    """Which node of which execution; `loop_index` tells iterations of a loop apart (`""` outside loops)."""

    tenant_id: str
    execution_id: UUID
    node_id: str
    loop_index: str = ""

    def columns(self) -> dict[str, Any]:
        """The key as column values."""
        return {
            "tenant_id": self.tenant_id,
            "execution_id": self.execution_id,
            "node_id": self.node_id,
            "loop_index": self.loop_index,
        }

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.execution_id}/{self.node_id}{self.loop_index}"


def start_attempt(session: Session, key: NodeKey, node_type: str) -> tuple[int, datetime]:
    """Write the row of a new attempt.

    Returns:
        Its number, counted from 1, and when the node's first attempt began: the moment all of them see as now.
    """
    last = select(func.coalesce(func.max(ExecutionLog.attempt), 0) + 1).where(_is(key)).scalar_subquery()
    statement = insert(ExecutionLog).values(
        **key.columns(), attempt=last, node_type=node_type, status="running"
    )
    attempt, started = session.execute(
        statement.returning(ExecutionLog.attempt, ExecutionLog.started_at)
    ).one()
    if attempt > 1:
        started = session.scalars(select(func.min(ExecutionLog.started_at)).where(_is(key))).one()
    return attempt, started


def end_attempt(
    session: Session,
    key: NodeKey,
    attempt: int,
    status: str,
    *,
    input: Any = None,  # noqa: A002 - the column's name
    output: Any = None,
    context_updates: Mapping[str, Any] | None = None,
    routes: Iterable[str] | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """Complete an attempt's row.

    Raises:
        sqlalchemy.exc.IntegrityError: `success` where another process has succeeded with this node already.
        InfrastructureError: The row is not there; it was written without waiting for the disk, and the server
            crashed before it got there. The caller's transaction must not be kept then.
    """
    done = session.execute(
        update(ExecutionLog)
        .where(_is(key), ExecutionLog.attempt == attempt)
        .values(
            status=status,
            input=input,
            output=output,
            context_updates=dict(context_updates) if context_updates else None,
            routes=list(routes) if routes is not None else None,
            error=dict(error) if error else None,
            ended_at=func.clock_timestamp(),
        )
    )
    if done.rowcount == 0:  # type: ignore[attr-defined]
        raise InfrastructureError(
            f"the log row of attempt {attempt} of {key} is gone: the database has lost its last moments",
            hint="the node is tried again",
        )


def write_row(
    session: Session,
    key: NodeKey,
    node_type: str,
    status: str,
    *,
    output: Any = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """Write a whole row at once, for nodes that take no time (triggers, skipped ones); once per node."""
    statement = insert(ExecutionLog).values(
        **key.columns(),
        attempt=1,
        node_type=node_type,
        status=status,
        output=output,
        error=dict(error) if error else None,
        ended_at=func.clock_timestamp(),
    )
    session.execute(statement.on_conflict_do_nothing())


def success_of(session: Session, key: NodeKey) -> ExecutionLog | None:
    """The successful attempt of a node, or None where it has not succeeded yet."""
    return session.scalar(select(ExecutionLog).where(_is(key), ExecutionLog.status == "success"))


def context_updates(
    session: Session, tenant_id: str, execution_id: UUID, nodes: Iterable[str]
) -> dict[str, Any]:
    """What the given nodes put into the context, by node id; nodes that put nothing there are left out."""
    rows = session.execute(
        select(ExecutionLog.node_id, ExecutionLog.context_updates).where(
            ExecutionLog.tenant_id == tenant_id,
            ExecutionLog.execution_id == execution_id,
            ExecutionLog.node_id.in_(list(nodes)),
            ExecutionLog.loop_index == "",
            ExecutionLog.status == "success",
            ExecutionLog.context_updates.is_not(None),
        )
    )
    return {row[0]: row[1] for row in rows}


def of_execution(session: Session, execution_id: UUID) -> list[ExecutionLog]:
    """All rows of an execution in the order they started."""
    query = select(ExecutionLog).where(ExecutionLog.execution_id == execution_id)
    return list(
        session.scalars(query.order_by(ExecutionLog.started_at, ExecutionLog.node_id, ExecutionLog.attempt))
    )


def _is(key: NodeKey) -> Any:
    return (
        (ExecutionLog.tenant_id == key.tenant_id)
        & (ExecutionLog.execution_id == key.execution_id)
        & (ExecutionLog.node_id == key.node_id)
        & (ExecutionLog.loop_index == key.loop_index)
    )
