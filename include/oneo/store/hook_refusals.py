"""What hooks refused: a count for each reason, so that no sender can fill the table."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import HookRefusal


def note(session: Session, tenant_id: str, path: str, code: str, message: str, times: int = 1) -> None:
    """Count refused requests of a hook. The message holds nothing that a sender has written."""
    new = insert(HookRefusal).values(tenant_id=tenant_id, path=path, code=code, message=message, count=times)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "path", "code"],
            set_={
                "count": HookRefusal.count + times,
                "message": message,
                "last_at": func.clock_timestamp(),
            },
        )
    )


def of_hook(session: Session, path: str) -> list[HookRefusal]:
    """The refusals of one of the tenant's hooks, the newest first."""
    mine = select(HookRefusal).where(HookRefusal.path == path)
    return list(session.scalars(mine.order_by(HookRefusal.last_at.desc(), HookRefusal.code)))
