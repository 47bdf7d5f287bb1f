"""The execution log: one row per node attempt, and what later nodes and people read from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import InfrastructureError
from oneo.store import large
from oneo.store.models import ExecutionLog

# Under this name an attempt that waits keeps what it goes on with.
CONFIG = "config"


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


def start_attempt(session: Session, key: NodeKey, node_type: str, number: int = 1) -> datetime:
    """Write the row of a new attempt and return when it began.

    Args:
        session: A tenant's session.
        key: The node.
        node_type: Its type.
        number: The attempt's number, one more than there were before.

    Raises:
        sqlalchemy.exc.IntegrityError: Another process has opened this very attempt.
    """
    statement = insert(ExecutionLog).values(
        **key.columns(), attempt=number, node_type=node_type, status="running"
    )
    return session.execute(statement.returning(ExecutionLog.started_at)).scalar_one()


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
    columns = large.columns_of(
        {
            **key.columns(),
            "status": status,
            "input": input,
            "output": output,
            "context_updates": dict(context_updates) if context_updates else None,
            "routes": list(routes) if routes is not None else None,
            "error": dict(error) if error else None,
        }
    )
    changed = {name: value for name, value in columns.items() if name not in key.columns()}
    _complete(session, key, attempt, {**changed, "ended_at": func.clock_timestamp()})


def _complete(session: Session, key: NodeKey, attempt: int, values: Mapping[str, Any]) -> None:
    done = session.execute(
        update(ExecutionLog).where(_is(key), ExecutionLog.attempt == attempt).values(**values)
    )
    if done.rowcount == 0:  # type: ignore[attr-defined]
        raise InfrastructureError(
            f"the log row of attempt {attempt} of {key} is gone: the database has lost its last moments",
            hint="the node is tried again",
        )


def rest(session: Session, key: NodeKey, attempt: int, config: Mapping[str, Any], until: datetime) -> None:
    """Note that an attempt waits for something, and for how long at most.

    Args:
        session: A tenant's session.
        key: The node.
        attempt: The attempt's number.
        config: What it goes on with, as JSON.
        until: When it is run anew.

    Raises:
        InfrastructureError: The row is not there.
    """
    left = {"output": {"until": until.isoformat()}, "context_updates": {CONFIG: dict(config)}}
    columns = large.columns_of({**key.columns(), "status": "waiting", "input": dict(config), **left})
    changed = {name: value for name, value in columns.items() if name not in key.columns()}
    _complete(session, key, attempt, changed)


def resume(session: Session, key: NodeKey, attempt: int) -> bool:
    """Go on with an attempt that waits; returns whether no other process has done so."""
    statement = update(ExecutionLog).where(
        _is(key), ExecutionLog.attempt == attempt, ExecutionLog.status == "waiting"
    )
    done = session.execute(
        statement.values(
            status="running", output=None, output_object=None, context_updates=None, context_object=None
        )
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def close_running(session: Session, tenant_id: str, execution_id: UUID, error: Mapping[str, Any]) -> None:
    """End the attempts of an execution that none is at work on any more, with the same error for each."""
    session.execute(
        update(ExecutionLog)
        .where(
            ExecutionLog.tenant_id == tenant_id,
            ExecutionLog.execution_id == execution_id,
            ExecutionLog.status.in_(("running", "waiting")),
        )
        .values(status="failed", error=dict(error), ended_at=func.clock_timestamp())
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
        **large.columns_of({**key.columns(), "output": output}),
        attempt=1,
        node_type=node_type,
        status=status,
        error=dict(error) if error else None,
        ended_at=func.clock_timestamp(),
    )
    session.execute(statement.on_conflict_do_nothing())


def write_row_once(session: Session, row: Mapping[str, Any]) -> None:
    """Write the whole row of an attempt that has ended.

    Raises:
        sqlalchemy.exc.IntegrityError: It is there already, or the node has succeeded already.
    """
    session.execute(insert(ExecutionLog), [large.columns_of(row)])


def write_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole rows of attempts that have ended; those that are there already stay as they are."""
    session.execute(insert(ExecutionLog).on_conflict_do_nothing(), [large.columns_of(row) for row in rows])


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
