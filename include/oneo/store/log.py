"""The execution log: one row per node attempt, and what later nodes and people read from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import InfrastructureError
from oneo.store import large
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


@dataclass(frozen=True)
class Kept:
    """What a successful attempt left."""

    output: Any
    context_updates: dict[str, Any] | None
    routes: tuple[str, ...]


@dataclass(frozen=True)
class Before:
    """What the log holds when an attempt of a node begins.

    Attributes:
        success: The attempt that succeeded, where there is one.
        attempts: Number of the last attempt; 0 where there was none.
        first_started: When the first attempt began: the moment all of them see as now.
        context: What nodes before it put into the context, by node id; those that put nothing there are left out.
    """

    success: Kept | None
    attempts: int
    first_started: datetime | None
    context: dict[str, Any]


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
        success=_kept(key.tenant_id, key.execution_id, success) if success else None,
        attempts=max((row.attempt for row in attempts), default=0),
        first_started=min((row.started_at for row in attempts), default=None),
        context={
            node: large.whole(key.tenant_id, key.execution_id, row.context_updates, row.context_object)
            for node, row in ended.items()
            if row.context_updates is not None
        },
    )


def _kept(tenant_id: str, execution_id: UUID, row: Any) -> Kept:
    output = large.whole(tenant_id, execution_id, row.output, row.output_object)
    updates = large.whole(tenant_id, execution_id, row.context_updates, row.context_object)
    return Kept(output, updates, tuple(row.routes or ()))


def _succeeded(row: Any) -> bool:
    return bool(row.status == "success")


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
    done = session.execute(
        update(ExecutionLog)
        .where(_is(key), ExecutionLog.attempt == attempt)
        .values(**changed, ended_at=func.clock_timestamp())
    )
    if done.rowcount == 0:  # type: ignore[attr-defined]
        raise InfrastructureError(
            f"the log row of attempt {attempt} of {key} is gone: the database has lost its last moments",
            hint="the node is tried again",
        )


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


def earlier(
    session: Session, tenant_id: str, execution_id: UUID, nodes: Iterable[str]
) -> dict[tuple[str, str], Before]:
    """What there is to know of the given nodes, by node id and loop index."""
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
        kept = known.success if known else None
        if row.status == "success":
            kept = _kept(tenant_id, execution_id, row)
        first = known.first_started if known else row.started_at
        found[row.node_id, row.loop_index] = Before(kept, row.attempt, first, {})
    return found


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
