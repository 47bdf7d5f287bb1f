"""Legal holds: what must not be erased or removed for good, who said so and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.store import history
from oneo.store.address import Address
from oneo.store.models import LegalHold, Record

Kind = Literal["tenant", "record", "email"]
# A field of a record that holds it as well, for who may change records but run no commands.
FIELD = "legal_hold"
HINT = "`oneo erase holds` shows every hold, `oneo erase unhold` lifts one"


def place(
    session: Session, tenant_id: str, kind: Kind, subject: str | None, *, reason: str, set_by: str
) -> LegalHold:
    """Put something on hold.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        kind: What is held: all of the tenant, one record, or what is known of an address.
        subject: Id of the record or the address; None for the tenant.
        reason: Why, for whoever is refused.
        set_by: Who says so.

    Raises:
        NotFoundError: No such record.
        UserError: It is held already, or the address is none.
    """
    key = _subject(session, tenant_id, kind, subject)
    values = {"tenant_id": tenant_id, "kind": kind, "subject": key, "reason": reason, "set_by": set_by}
    new = insert(LegalHold).values(**values).on_conflict_do_nothing().returning(LegalHold)
    row = session.scalar(new)
    if row is None:
        raise UserError(f"{kind} {key!r} is on legal hold already", hint="`oneo erase holds` shows why")
    return row


def lift(session: Session, tenant_id: str, kind: Kind, subject: str | None) -> None:
    """End a hold.

    Raises:
        NotFoundError: There is none.
    """
    key = tenant_id if kind == "tenant" else str(subject).strip().lower()
    this = (LegalHold.tenant_id == tenant_id) & (LegalHold.kind == kind) & (LegalHold.subject == key)
    if session.scalar(delete(LegalHold).where(this).returning(LegalHold.subject)) is None:
        raise NotFoundError(f"{kind} {key!r} is not on legal hold", hint="`oneo erase holds` shows all")


def all_holds(session: Session) -> list[LegalHold]:
    """The tenant's holds, oldest first."""
    return list(session.scalars(select(LegalHold).order_by(LegalHold.created_at, LegalHold.subject)))


def said(hold: LegalHold) -> str:
    """A hold, for whoever is refused."""
    return (
        f"{hold.kind} {hold.subject} is on legal hold since {hold.created_at:%Y-%m-%d}, set by {hold.set_by}: "
        f"{hold.reason}"
    )


def reasons(session: Session, rows: Sequence[Record], email: str | None = None) -> list[str]:
    """Everything that keeps records, or what is known of an address, from going; empty where nothing does."""
    found = [said(hold) for hold in all_holds(session) if _holds(hold, rows, email)]
    for row in rows:
        if row.data.get(FIELD) is True:
            who = _marked_by(session, row.id)
            found.append(f"{FIELD} is true on record {row.id}" + (f", set by {who}" if who else ""))
    return found


def refuse_removal(session: Session, row: Record) -> None:
    """Nothing where a record may be removed for good.

    Raises:
        UserError: It is on hold; the message says by whom and why.
    """
    held = reasons(session, [row])
    if held:
        raise UserError(f"record {row.id} was not removed: {'; '.join(held)}", hint=HINT)


def _holds(hold: LegalHold, rows: Sequence[Record], email: str | None) -> bool:
    if hold.kind == "record":
        return any(str(row.id) == hold.subject for row in rows)
    if hold.kind == "email":
        held = Address(hold.subject)
        return hold.subject == email or any(held.is_value_of([row.data, row.external_id]) for row in rows)
    return True


def _marked_by(session: Session, record_id: UUID) -> str | None:
    changes = [entry for entry in history.of_record(session, record_id) if FIELD in entry.changes]
    return changes[-1].actor if changes else None


def _subject(session: Session, tenant_id: str, kind: Kind, subject: str | None) -> str:
    if kind == "record":
        from oneo.store import records  # noqa: PLC0415 - every operator loads this module, none places a hold

        row = records.find_one(session, str(subject), deleted=True)
        if row is None:
            raise NotFoundError(f"there is no record {subject!r}", hint="give the id of a record")
        return str(row.id)
    return Address(str(subject)).email if kind == "email" else tenant_id
