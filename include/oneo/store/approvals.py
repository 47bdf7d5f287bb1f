"""Approvals: people are asked once, one of them decides once, and how it ended is an event."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.approvals import APPROVAL, MAX_TEXT, ApprovalRequest, may_decide
from oneo.database import plain_json
from oneo.errors import NotAllowedError, NotFoundError, OverError, UserError
from oneo.store import inbox, records
from oneo.store.events import RECORD
from oneo.store.models import Approval
from oneo.suggest import did_you_mean

STATUSES = ("pending", "decided", "expired", "cancelled")


def request(
    session: Session,
    tenant_id: str,
    wanted: ApprovalRequest,
    *,
    key: str,
    execution_id: UUID | None = None,
    node_id: str | None = None,
) -> Approval:
    """Ask people, or find what was asked under this key before, as it was asked and however it has ended.

    Raises:
        UserError: It cannot be asked; everything that is wrong is named.
    """
    wanted.check()
    new = insert(Approval).values(
        tenant_id=tenant_id,
        id=uuid4(),
        key=key,
        execution_id=execution_id,
        node_id=node_id,
        record_id=wanted.record_id,
        title=wanted.title.strip(),
        description=wanted.description,
        assignees=list(dict.fromkeys(one.strip() for one in wanted.assignees)),
        options=list(wanted.options),
        comment_required=wanted.comment_required,
        expires_at=wanted.expires_at,
    )
    session.execute(new.on_conflict_do_nothing(index_elements=["tenant_id", "key"]))
    return session.scalars(select(Approval).where(Approval.tenant_id == tenant_id, Approval.key == key)).one()


def find(session: Session, approval_id: UUID) -> Approval | None:
    """The approval; None where there is none."""
    return session.scalar(select(Approval).where(Approval.id == approval_id))


def get(session: Session, approval_id: UUID) -> Approval:
    """The approval.

    Raises:
        NotFoundError: There is none.
    """
    row = find(session, approval_id)
    if row is None:
        raise _unknown(approval_id)
    return row


def recent(
    session: Session, status: str | None = None, assignee: str | None = None, limit: int = 50
) -> list[Approval]:
    """The tenant's newest approvals first.

    Args:
        session: A tenant's session.
        status: Only in this state.
        assignee: Only those that ask this person or `role:…`, as it was written.
        limit: At most that many.

    Raises:
        UserError: There is no such state.
    """
    if status is not None and status not in STATUSES:
        raise UserError(f"there is no status {status!r}", hint=did_you_mean(status, STATUSES))
    query = select(Approval).order_by(Approval.created_at.desc(), Approval.id).limit(limit)
    if status is not None:
        query = query.where(Approval.status == status)
    if assignee is not None:
        query = query.where(Approval.assignees.contains([assignee]))
    return list(session.scalars(query))


def decide(
    session: Session,
    tenant_id: str,
    approval_id: UUID,
    decision: str,
    *,
    by: str,
    roles: Collection[str] = (),
    comment: str | None = None,
) -> Approval:
    """Decide, once and for all. Of two who do so at a time, the second is told who was first.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        approval_id: The approval.
        decision: Id of one of its options.
        by: Who decides.
        roles: Which types of user they are of.
        comment: Why.

    Raises:
        NotFoundError: There is no such approval.
        OverError: It has been decided, has expired or was cancelled.
        NotAllowedError: Somebody else was asked.
        UserError: There is no such option, or the comment is missing or too long; all of it is named.
    """
    row = _pending(session, tenant_id, approval_id)
    if not may_decide(row.assignees, by, roles):
        raise NotAllowedError(
            f"{by!r} may not decide approval {approval_id}", hint=f"ask {', '.join(row.assignees)}"
        )
    said = (comment or "").strip()
    choices = [one["id"] for one in row.options]
    problems = [] if decision in choices else [f"{decision!r} is none of its options"]
    if row.comment_required and not said:
        problems.append("it needs a comment")
    if len(said) > MAX_TEXT:
        problems.append(f"the comment has {len(said)} characters, and {MAX_TEXT} are allowed")
    if problems:
        raise UserError(
            f"approval {approval_id}: {'; '.join(problems)}", hint=f"choose of {', '.join(choices)}"
        )
    return _end(session, row, "decided", decision=decision, comment=said or None, decided_by=by.strip())


def cancel(session: Session, tenant_id: str, approval_id: UUID, *, by: str) -> Approval:
    """Take a question back that nobody has decided yet.

    Raises:
        NotFoundError: There is no such approval.
        OverError: It has ended before.
    """
    row = _pending(session, tenant_id, approval_id)
    return _end(session, row, "cancelled", decided_by=by)


def expire_due(session: Session, limit: int) -> int:
    """End approvals that nobody decided in time; returns how many (system session).

    Dispatchers that run side by side share them; one that is being decided at this moment is passed over.
    """
    due = select(Approval).where(Approval.status == "pending", Approval.expires_at <= func.clock_timestamp())
    rows = session.scalars(
        due.order_by(Approval.expires_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _end(session, row, "expired")
    return len(rows)


def view(row: Approval) -> dict[str, Any]:
    """An approval as commands and the API show it."""
    return {
        "approval_id": str(row.id),
        "title": row.title,
        "description": row.description,
        "record_id": str(row.record_id) if row.record_id else None,
        "execution_id": str(row.execution_id) if row.execution_id else None,
        "node_id": row.node_id,
        "assignees": row.assignees,
        "options": row.options,
        "comment_required": row.comment_required,
        "status": row.status,
        "decision": row.decision,
        "comment": row.comment,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
    }


def _pending(session: Session, tenant_id: str, approval_id: UUID) -> Approval:
    """The approval, locked, that somebody may still decide."""
    query = select(Approval).where(Approval.tenant_id == tenant_id, Approval.id == approval_id)
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise _unknown(approval_id)
    if row.status != "pending":
        raise _over(row)
    # Perhaps no dispatcher has looked since its time came.
    if row.expires_at is not None and row.expires_at <= _now(session):
        raise OverError(f"approval {approval_id} has expired, at {row.expires_at:%Y-%m-%d %H:%M:%S %Z}")
    return row


def _over(row: Approval) -> OverError:
    how = {
        "decided": f"was decided as {row.decision!r} by {row.decided_by}",
        "expired": "has expired",
        "cancelled": f"was cancelled by {row.decided_by}",
    }[row.status]
    return OverError(f"approval {row.id} {how}, at {row.decided_at:%Y-%m-%d %H:%M:%S %Z}")


def _end(session: Session, row: Approval, status: str, **outcome: str | None) -> Approval:
    """End an approval, and make an event of it in the same transaction."""
    ended = {"status": status, "decided_at": _now(session), **outcome}
    for name, value in ended.items():
        setattr(row, name, value)
    session.flush()
    record = records.find_one(session, str(row.record_id), tenant_id=row.tenant_id) if row.record_id else None
    data = {name: value for name, value in view(row).items() if name not in ("record_id", "options")}
    inbox.put(
        session,
        row.tenant_id,
        APPROVAL,
        status,
        plain_json(data if record is None else {**data, RECORD: records.view(record)}),
        key=str(row.id),
        record_id=record.id if record is not None else None,
        execution_id=row.execution_id,
    )
    return row


def _now(session: Session) -> datetime:
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _unknown(approval_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no approval {approval_id}", hint="`oneo approvals list` shows all")
