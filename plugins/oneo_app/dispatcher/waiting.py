"""What waits for its time: gathered events, moments that triggers asked for, and records shown to new triggers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.events import SEEN, Event
from oneo.store import events, executions, gatherings, locks, timers, triggers
from oneo.store.models import Gathering, Record
from oneo.store.records import view
from oneo.verdicts import Starts
from oneo_app.dispatcher import enrolling
from oneo_app.dispatcher.deciding import Decision, carry_out, start
from oneo_app.dispatcher.matching import with_types
from oneo_app.dispatcher.trigger_index import Candidate, TriggerIndex

logger = logging.getLogger(__name__)

BATCH = 100


def start_gathered(database: Database, index: TriggerIndex) -> int:
    """Start the executions of gathered events whose time has come; returns how many gatherings there were."""
    with database.system() as session:
        due = gatherings.take_due(session, BATCH)
        if due:
            index.refresh(session)
        for gathering in due:
            _start(session, index, gathering)
        return len(due)


def _start(session: Session, index: TriggerIndex, gathering: Gathering) -> None:
    where = timers.address(gathering.workflow_id, gathering.node_id)
    trigger = index.at(gathering.tenant_id, where)
    found = events.with_ids(session, gathering.tenant_id, gathering.event_ids)
    if trigger is None or trigger.node_type is None or not found:
        logger.info("%d gathered event(s) of %s: the trigger is no longer there", len(found), where)
        decision = Decision("stopped", "the trigger is no longer there")
    elif gathering.missing:
        names = ", ".join(map(repr, gathering.missing))
        decision = Decision("stopped", f"it was given up to wait: {names} had not come in time")
    else:
        together = enrolling.coalesces(session, trigger)
        if together is not None:
            gatherings.put_back(session, gathering, together.within_seconds)
            return
        _start_together(session, trigger, gathering, found)
        return
    events.note_decision(session, gathering.tenant_id, gathering.event_ids, where, decision.as_json())


def _start_together(
    session: Session, trigger: Candidate, gathering: Gathering, found: Sequence[Event]
) -> None:
    """Start the execution of gathered events, without those whose record may not start it (any more)."""
    reasons = enrolling.all_kept_out(session, trigger, found)
    if reasons and enrolling.is_whole(trigger, found[0]):
        # Without one of them the others are not what was waited for.
        reasons = dict.fromkeys((event.id for event in found), next(iter(reasons.values())))
    left = [event for event in found if event.id not in reasons]
    without = ""
    if left:
        # The execution that was promised to all is that of the first; of one that is left out it may be needed yet.
        first = gathering.event_ids[0] if gathering.event_ids[0] not in reasons else left[0].id
        decision = _start_one(session, trigger, gathering, left, first)
        if decision.outcome != "started":
            _note(session, trigger, left, decision)
        elif reasons:
            without = f"; execution {decision.execution_id} started without it"
            told = f"{len(reasons)} of {len(found)} events were left out"
            _note(session, trigger, left, Decision("gathered", told, decision.execution_id))
    for event in found:
        if event.id in reasons:
            _note(session, trigger, [event], Decision("kept_out", f"{reasons[event.id]}{without}"))


def _start_one(
    session: Session, trigger: Candidate, gathering: Gathering, left: Sequence[Event], first: int
) -> Decision:
    if gathering.key == enrolling.COALESCED or trigger.node_type is None:
        data = enrolling.coalesced(trigger, left)
    else:
        data = trigger.node_type.combined(trigger.options, left)
    execution_id = executions.id_for_event(gathering.tenant_id, gathering.workflow_id, first)
    return start(session, trigger, left, Starts(data), gathering.chain, execution_id)


def _note(session: Session, trigger: Candidate, about: Sequence[Event], decision: Decision) -> None:
    ids = [event.id for event in about]
    events.note_decision(session, trigger.row.tenant_id, ids, trigger.address, decision.as_json())


def fire_timers(database: Database, now: datetime | None = None) -> int:
    """Make events of the moments that have come; returns how many."""
    with database.system() as session:
        return timers.fire_due(session, BATCH, now)


def show_existing(database: Database, index: TriggerIndex, now: datetime | None = None) -> int:
    """Show a new trigger some of the records that were there before it; returns how many.

    `now` is for a clock of one's own.
    """
    with database.system() as session:
        row = triggers.claim_unseen(session)
        if row is None or not locks.try_tenants(session, [row.tenant_id]):
            return 0
        index.refresh(session)
        trigger = index.at(row.tenant_id, timers.address(row.workflow_id, row.node_id))
        found = triggers.next_unseen(session, row, BATCH)
        if trigger is None:
            return len(found)
        moment = now or session.execute(select(func.clock_timestamp())).scalar_one()
        for event in with_types(session, [_seen(record, moment) for record in found]):
            carry_out(session, trigger, event, trigger.consider(event), ())
        return len(found)


def _seen(record: Record, moment: datetime) -> Event:
    return Event(
        id=0,
        tenant_id=record.tenant_id,
        kind=SEEN,
        topic=record.pipeline_id,
        at=moment,
        record_id=record.id,
        record=view(record),
    )
