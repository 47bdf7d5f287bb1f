"""Events that wait for more of them: each key of a trigger has one gathering open at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import any_, case, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store import locks
from oneo.store.models import Gathering
from oneo.verdicts import Gathers


def add(
    session: Session,
    tenant_id: str,
    workflow_id: str,
    node_id: str,
    event_id: int,
    wanted: Gathers,
    chain: Sequence[Mapping[str, Any]] = (),
) -> int:
    """Keep an event with those of its key, and set when they start their execution (system session).

    `chain` are the executions that led to the event; of several events the longest chain counts.

    Returns:
        The id of the first event of the gathering, whose execution it will be.
    """
    now = func.clock_timestamp()
    missing = [part for part in wanted.all_of if part != wanted.part]
    latest = timedelta(seconds=wanted.within_seconds)
    quiet = timedelta(seconds=wanted.quiet_seconds) if wanted.quiet_seconds is not None else latest
    new = insert(Gathering).values(
        tenant_id=tenant_id,
        workflow_id=workflow_id,
        node_id=node_id,
        key=wanted.key,
        event_ids=[event_id],
        chain=list(chain),
        due_at=now
        + (min(quiet, latest) if wanted.size > 1 and not _complete(wanted, missing) else timedelta()),
        missing=missing,
    )
    count = func.cardinality(Gathering.event_ids)
    known = literal(event_id) == any_(Gathering.event_ids)
    still_missing = func.array_remove(Gathering.missing, wanted.part)
    complete = literal(bool(wanted.all_of)) & (func.cardinality(still_missing) == 0)
    longer = func.jsonb_array_length(new.excluded.chain) > func.jsonb_array_length(Gathering.chain)
    statement = new.on_conflict_do_update(
        index_elements=["tenant_id", "workflow_id", "node_id", "key"],
        set_={
            "event_ids": case(
                (known, Gathering.event_ids), else_=Gathering.event_ids + new.excluded.event_ids
            ),
            "chain": case((longer, new.excluded.chain), else_=Gathering.chain),
            "due_at": case(
                (complete | (count + case((known, 0), else_=1) >= literal(wanted.size)), now),
                else_=func.least(now + quiet, Gathering.opened_at + latest),
            ),
            "missing": still_missing,
        },
    )
    return int(session.execute(statement.returning(Gathering.event_ids[1])).scalar_one())


def _complete(wanted: Gathers, missing: Sequence[str]) -> bool:
    return bool(wanted.all_of) and not missing


def take_due(session: Session, limit: int) -> list[Gathering]:
    """Close gatherings that are due, oldest first (system session).

    Those that another dispatcher holds, or whose tenant's events it decides about, are passed over. The rows are
    deleted: what they start must be written in the same transaction.
    """
    query = select(Gathering).where(Gathering.due_at <= func.clock_timestamp()).order_by(Gathering.due_at)
    due = list(session.scalars(query.limit(limit).with_for_update(skip_locked=True)))
    mine = locks.try_tenants(session, {row.tenant_id for row in due})
    found = [row for row in due if row.tenant_id in mine]
    for row in found:
        session.execute(
            delete(Gathering).where(
                Gathering.tenant_id == row.tenant_id,
                Gathering.workflow_id == row.workflow_id,
                Gathering.node_id == row.node_id,
                Gathering.key == row.key,
            )
        )
        session.expunge(row)
    return found


def put_back(session: Session, row: Gathering, seconds: float) -> None:
    """Keep a gathering that was taken for that much longer; what came since joins it (system session)."""
    new = insert(Gathering).values(
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        node_id=row.node_id,
        key=row.key,
        event_ids=row.event_ids,
        chain=row.chain,
        opened_at=row.opened_at,
        due_at=func.clock_timestamp() + timedelta(seconds=seconds),
    )
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "workflow_id", "node_id", "key"],
            set_={"event_ids": new.excluded.event_ids + Gathering.event_ids, "due_at": new.excluded.due_at},
        )
    )
