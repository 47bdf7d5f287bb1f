"""Executions inside executions: who asked for which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session, aliased

from oneo.store.models import Execution

# What the ids of runs begin with that no DAG run carries out.
LOCAL = "local__"
INLINE = "inline__"


@dataclass(frozen=True)
class Origin:
    """Where an execution comes from.

    Attributes:
        started_by: The person behind it; None where an event, the clock or nobody we know of started it.
        parent_execution_id: The execution whose node asked for it.
        parent_node: That node, with its loop index.
        depth: How many executions it stands in.
        chain: The executions (`workflow`, `execution`) that led to it through the events they brought about.
    """

    started_by: str | None = None
    parent_execution_id: UUID | None = None
    parent_node: str | None = None
    depth: int = 0
    chain: tuple[Mapping[str, Any], ...] = ()


NOBODY = Origin()


def id_in(parent: UUID, node: str) -> UUID:
    """The id of the execution that a node asks for: the same at every attempt.

    Args:
        parent: The node's own execution.
        node: The node, with its loop index.
    """
    return uuid5(parent, node)


def has_dag_run(row: Execution) -> bool:
    """Whether a DAG run of Airflow carries the execution out."""
    return not row.run_id.startswith((LOCAL, INLINE))


def ancestors(session: Session, tenant_id: str, execution_id: UUID) -> list[Execution]:
    """The execution and those it stands in, outermost first."""
    mine = (Execution.tenant_id == tenant_id) & (Execution.id == execution_id)
    line = select(Execution.id, Execution.parent_execution_id, literal(0).label("up")).where(mine)
    above = line.cte("line", recursive=True)
    above = above.union_all(
        select(Execution.id, Execution.parent_execution_id, above.c.up + 1).where(
            Execution.tenant_id == tenant_id, Execution.id == above.c.parent_execution_id
        )
    )
    query = select(Execution).join(above, (above.c.id == Execution.id) & (Execution.tenant_id == tenant_id))
    return list(session.scalars(query.order_by(above.c.up.desc())))


def chain_of(session: Session, tenant_id: str, execution_id: UUID) -> tuple[Mapping[str, Any], ...]:
    """The chain of what an execution brings about: its own, and the executions it stands in with itself."""
    line = ancestors(session, tenant_id, execution_id)
    own = tuple({"workflow": row.workflow_id, "execution": str(row.id)} for row in line)
    return (*(line[0].chain if line else ()), *own)


def children(session: Session, execution_id: UUID) -> list[Execution]:
    """The executions that the nodes of one asked for, in the order they came."""
    query = select(Execution).where(Execution.parent_execution_id == execution_id)
    return list(session.scalars(query.order_by(Execution.created_at, Execution.id)))


def open_inside(session: Session, tenant_id: str, execution_id: UUID) -> list[Execution]:
    """The sub-workflows in the process of an execution that are not finished, on all levels, locked."""
    query = _inside(tenant_id, execution_id).where(
        Execution.status.in_(("running", "waiting")), Execution.run_id.startswith(INLINE, autoescape=True)
    )
    return list(session.scalars(_locked(query)))


def take_queued(session: Session, tenant_id: str, execution_id: UUID) -> Execution | None:
    """The oldest queued execution that an execution or one inside it asked for, taken from the dispatcher.

    It goes on without a DAG run; None where nothing waits any more.
    """
    query = _inside(tenant_id, execution_id).where(Execution.status == "pending")
    query = query.order_by(Execution.created_at, Execution.id).limit(1)
    row = session.scalars(_locked(query, skip=True)).first()
    if row is not None:
        row.status, row.run_id = "running", f"{LOCAL}{row.id}"
        session.flush()
    return row


def _inside(tenant_id: str, execution_id: UUID) -> Select[Execution]:
    start = select(Execution.id).where(
        Execution.tenant_id == tenant_id, Execution.parent_execution_id == execution_id
    )
    below = start.cte("below", recursive=True)
    child = aliased(Execution)
    below = below.union_all(
        select(child.id).where(child.tenant_id == tenant_id, child.parent_execution_id == below.c.id)
    )
    return select(Execution).where(Execution.tenant_id == tenant_id, Execution.id.in_(select(below.c.id)))


def _locked(query: Select[Execution], *, skip: bool = False) -> Select[Execution]:
    return query.with_for_update(skip_locked=skip, of=Execution).execution_options(populate_existing=True)
