"""Quotas of a tenant: how much of the installation it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from oneo.errors import QuotaError
from oneo.store import storage
from oneo.store.families import INLINE
from oneo.store.limits import ACTIVE, PER_HOUR, RECORDS, limit_of
from oneo.store.locks import lock_values
from oneo.store.models import Execution, Record, Tenant

# Nobody is told when one of many active executions ends.
LOOK_AGAIN_SECONDS = 5
_HOUR = timedelta(hours=1)
_ACTIVE = Execution.status.in_(("running", "waiting"))


@dataclass(frozen=True)
class Wait:
    """Why no further execution of a tenant may start, and until when."""

    reason: str
    until: datetime


def wait_to_start(session: Session, tenant_id: str) -> Wait | None:
    """What keeps the tenant's next execution from starting; None where nothing does (system session).

    The workflows that a node runs in its own process are part of the execution that has started already.
    The tenant's quotas stay locked until the transaction ends: two dispatchers never count the same.
    """
    if all(limit_of(session, tenant_id, name) is None for name in (PER_HOUR, ACTIVE)):
        return None
    row = select(Tenant.settings).where(Tenant.id == tenant_id)
    limits = session.scalar(row.with_for_update(key_share=True)) or {}
    now = session.scalars(select(func.clock_timestamp())).one()
    own = _own(tenant_id)
    most = limits.get(ACTIVE)
    if most is not None and _count(session, own & _ACTIVE) >= most:
        reason = f"{ACTIVE} of tenant {tenant_id!r} is {most}, and as many are active"
        return Wait(reason, now + timedelta(seconds=LOOK_AGAIN_SECONDS))
    most = limits.get(PER_HOUR)
    if most is None:
        return None
    return _hourly(session, own, most, f"{PER_HOUR} of tenant {tenant_id!r}", now)


def wait_of_workflow(session: Session, tenant_id: str, workflow_id: str, most: int) -> Wait | None:
    """What keeps a workflow's next execution from starting, where `most` may within an hour (system session).

    Whoever asks holds a lock, so that two dispatchers never count the same.
    """
    own = _own(tenant_id) & (Execution.workflow_id == workflow_id)
    now = session.scalars(select(func.clock_timestamp())).one()
    return _hourly(session, own, most, f"settings.start.{PER_HOUR} of workflow {workflow_id!r}", now)


def _hourly(session: Session, own: ColumnElement[bool], most: int, limit: str, now: datetime) -> Wait | None:
    recent = own & _recent(now)
    count = _count(session, recent)
    if count < most:
        return None
    starts = select(func.coalesce(Execution.started_at, now).label("at")).where(recent).order_by("at")
    # The next may start when one fewer than allowed are left of them.
    last_to_go = session.scalar(starts.offset(count - most).limit(1)) or now
    reason = f"{limit} is {most}, and as many have started within an hour"
    return Wait(reason, last_to_go + _HOUR)


def postpone_due(
    session: Session, tenant_id: str, wait: Wait, *, workflow_id: str | None = None, held: bool = False
) -> None:
    """Put off every execution of the tenant, or of one workflow, that is due; they keep their order (system session).

    All at once: the dispatcher does not come back to each of them while other tenants wait. `held` are those that
    wait for another execution of their workflow to end.
    """
    of_workflow = Execution.workflow_id == workflow_id if workflow_id is not None else true()
    due = (
        select(Execution.id)
        .where(
            Execution.tenant_id == tenant_id,
            Execution.status == "pending",
            Execution.run_after <= func.clock_timestamp(),
            of_workflow,
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(Execution)
        .where(Execution.tenant_id == tenant_id, Execution.id.in_(due.scalar_subquery()))
        .values(run_after=wait.until, postponed=wait.reason, held=held)
    )


class RecordPlaces:
    """The records that a tenant may have beside those it has; deleted ones do not count, but for their storage.

    Until the transaction ends no other creates one: two never take the same last place.

    Args:
        session: A session.
        tenant_id: The tenant.
        lock: Whether others wait; without, what is left may be taken meanwhile.
    """

    def __init__(self, session: Session, tenant_id: str, *, lock: bool = True) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._lock = lock
        self._most = limit_of(session, tenant_id, RECORDS)
        self._left: int | None = None

    def take(self, data: Mapping[str, Any]) -> None:
        """Take a place for a record that holds this.

        Raises:
            QuotaError: There is none, or no room for it.
        """
        storage.check_record(self._session, self._tenant_id, data)
        if self._most is None:
            return
        if self._left is None:
            self._left = self._count_left(self._most)
        if self._left <= 0:
            raise QuotaError(
                f"{RECORDS} of tenant {self._tenant_id!r} is {self._most}, and it has as many",
                hint=f"delete records, or raise it with `oneo tenants set {self._tenant_id} {RECORDS}=…`",
            )
        self._left -= 1

    def _count_left(self, most: int) -> int:
        if self._lock:
            lock_values(self._session, self._tenant_id, "", [(RECORDS, None)])
        counted = select(Record.id).where(_is_kept(self._tenant_id)).limit(most).subquery()
        return most - (self._session.scalar(select(func.count()).select_from(counted)) or 0)


def check_records(session: Session, tenant_id: str, data: Mapping[str, Any]) -> None:
    """Nothing where the tenant may have one record more that holds this, as `RecordPlaces` has it.

    Raises:
        QuotaError: It has as many as it may, or no room for it.
    """
    RecordPlaces(session, tenant_id).take(data)


def used(session: Session, tenant_id: str) -> dict[str, int]:
    """How much of each quota but that of storage the tenant has used, set or not."""
    now = session.scalars(select(func.clock_timestamp())).one()
    own = _own(tenant_id)
    here = select(func.count()).select_from(Record)
    return {
        PER_HOUR: _count(session, own & _recent(now)),
        ACTIVE: _count(session, own & _ACTIVE),
        RECORDS: session.scalar(here.where(_is_kept(tenant_id))) or 0,
    }


def _own(tenant_id: str) -> ColumnElement[bool]:
    """The tenant's executions, but those that run as part of another."""
    return and_(Execution.tenant_id == tenant_id, ~Execution.run_id.startswith(INLINE, autoescape=True))


def _recent(now: datetime) -> ColumnElement[bool]:
    # The first task of a run tells us that it has started: until then it counts as starting now.
    starting = and_(_ACTIVE, Execution.started_at.is_(None))
    return or_(starting, Execution.started_at > now - _HOUR)


def _is_kept(tenant_id: str) -> ColumnElement[bool]:
    return and_(Record.tenant_id == tenant_id, Record.deleted_at.is_(None))


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Execution).where(which)) or 0
