"""From what a trigger says about an event to what is done about it, and what is noted of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from oneo.events import Event
from oneo.settings import settings
from oneo.store import deletion, executions, gatherings, notifications, timers
from oneo.store.families import Origin
from oneo.store.workflows import dag_id
from oneo.verdicts import Answer, Arms, Disarms, Gathers, Refuses, Several, Starts, Verdict
from oneo_app.dispatcher import enrolling
from oneo_app.dispatcher.trigger_index import Candidate

Chain = Sequence[Mapping[str, Any]]
_ANSWERS = UUID("3d8f5b9c-52b7-4c8b-9d0e-6a1f0e2b7c44")

# A moment that is further off begins a new chain: a workflow that puts its own next date off is no loop.
SOON = timedelta(minutes=1)


@dataclass(frozen=True)
class Decision:
    """What was decided about one event and one trigger.

    Attributes:
        outcome: `started`, `gathered`, `armed`, `disarmed`, `refused` by the trigger, `kept_out` by `settings.start`,
            `stopped` or `known` (it has started before).
        reason: The condition that decided, or what is waited for.
        execution_id: The execution that was queued, or that the event will be part of.
    """

    outcome: str
    reason: str = ""
    execution_id: UUID | None = None

    def as_json(self) -> dict[str, str]:
        """As kept with the event; empty parts are left out."""
        parts = {
            "outcome": self.outcome,
            "reason": self.reason,
            "execution": str(self.execution_id) if self.execution_id else "",
        }
        return {name: value for name, value in parts.items() if value}


def carry_out(session: Session, trigger: Candidate, event: Event, verdict: Verdict, chain: Chain) -> Decision:
    """Do what a trigger wants (system session); `chain` are the executions that led to the event."""
    row = trigger.row
    match verdict:
        case Refuses():
            return Decision("refused", verdict.reason)
        case Arms() | Disarms():
            return _wait(session, trigger, event, verdict)
        case Several():
            made = [_wait(session, trigger, event, part) for part in verdict.parts]
            outcome = next((one.outcome for one in made if one.outcome == "armed"), made[0].outcome)
            return Decision(outcome, "; ".join(dict.fromkeys(one.reason for one in made)))
        case Starts():
            for part in verdict.then:
                _wait(session, trigger, event, part)
    stopped = _loop(trigger, chain)
    if stopped:
        return Decision("stopped", stopped)
    if verdict.archives and event.record_id is not None:
        deletion.archive_deleted(session, row.tenant_id, event.record_id)
    reason = enrolling.kept_out(session, trigger, event, verdict)
    if reason is not None:
        return Decision("kept_out", reason)
    if isinstance(verdict, Gathers):
        return _gather(session, trigger, event, verdict, chain)
    together = enrolling.coalesces(session, trigger)
    if together is not None:
        decision = _gather(session, trigger, event, together, chain)
    else:
        decision = start(session, trigger, [event], verdict, chain)
    if verdict.answer is not None and decision.outcome in ("started", "gathered"):
        _answer(session, trigger, verdict.answer, decision.execution_id)
    return decision


def _wait(session: Session, trigger: Candidate, event: Event, verdict: Arms | Disarms) -> Decision:
    row = trigger.row
    where = (row.tenant_id, row.workflow_id, row.node_id, verdict.key)
    if isinstance(verdict, Disarms):
        gone = timers.disarm(session, *where)
        return Decision("disarmed" if gone else "refused", verdict.reason)
    moment = verdict.due.isoformat()
    armed = timers.arm(
        session,
        *where,
        verdict.due,
        record_id=event.record_id,
        series=event.series,
        latest=verdict.latest,
        execution_id=event.caused_by if verdict.due - event.at < SOON else None,
    )
    if not armed:
        return Decision("known", f"{moment} has come before")
    return Decision("armed", f"it looks again at {moment}")


def _gather(session: Session, trigger: Candidate, event: Event, wanted: Gathers, chain: Chain) -> Decision:
    row = trigger.row
    first = gatherings.add(session, row.tenant_id, row.workflow_id, row.node_id, event.id, wanted, chain)
    execution_id = executions.id_for_event(row.tenant_id, row.workflow_id, first)
    return Decision("gathered", _waits(wanted), execution_id)


def start(
    session: Session,
    trigger: Candidate,
    events: Sequence[Event],
    verdict: Starts,
    chain: Chain,
    execution_id: UUID | None = None,
) -> Decision:
    """Queue the execution that events start, where those there are leave room for it (system session).

    `execution_id` is for events that were gathered; else it follows from the event.
    """
    row, event = trigger.row, events[0]
    reason = enrolling.left_out(session, trigger, event.record_id)
    if reason is not None:
        return Decision("kept_out", reason)
    wanted = execution_id or executions.id_for_event(row.tenant_id, row.workflow_id, event.id)
    gathered = events if execution_id is not None else ()
    queued = executions.enqueue(
        session,
        row.tenant_id,
        row.workflow_id,
        version=row.version,
        trigger_node=row.node_id,
        trigger_type=row.type,
        data=event.trigger_data() if verdict.data is None else verdict.data,
        dag_id=dag_id(row.tenant_id, row.workflow_id),
        event_id=event.id,
        record_id=event.record_id,
        record_ids={event.record_id for event in gathered if event.record_id is not None},
        run_after=event.at + timedelta(seconds=verdict.delay_seconds) if verdict.delay_seconds else None,
        execution_id=wanted,
        origin=Origin(chain=tuple(chain)),
    )
    if queued is None:
        return Decision("known", "this event has started the workflow before", wanted)
    waits = f"{verdict.delay_seconds:g} s after the event" if verdict.delay_seconds else ""
    return Decision("started", waits, wanted)


def _answer(session: Session, trigger: Candidate, answer: Answer, execution_id: UUID | None) -> None:
    """Queue an answer, unless there is one. Whoever starts workflows calls nobody: the channel's sender sends it."""
    row = trigger.row
    name = f"{row.tenant_id}/{answer.channel}/{answer.recipient}/{answer.answers}"
    notifications.create_once(
        session,
        row.tenant_id,
        notification_id=uuid5(_ANSWERS, name),
        channel=answer.channel,
        recipient=answer.recipient,
        message=answer.message,
        execution_id=execution_id,
        node_id=row.node_id,
    )


def _loop(trigger: Candidate, chain: Chain) -> str:
    """Why the chain of executions ends here; empty where it may go on."""
    depth = trigger.row.policy.get("max_chain_depth") or settings().max_chain_depth
    if len(chain) < depth:
        return ""
    way = " → ".join([*(str(one["workflow"]) for one in chain), trigger.row.workflow_id])
    return (
        f"{len(chain)} executions have led to one another: {way}; at most {depth} may "
        "(settings.start.max_chain_depth)"
    )


def _waits(verdict: Gathers) -> str:
    if verdict.key == enrolling.COALESCED:
        return (
            "with others until fewer executions have come within an hour "
            "(settings.start.max_executions_per_hour, on_limit: coalesce)"
        )
    if verdict.all_of:
        return f"until each of {', '.join(map(repr, verdict.all_of))} has come"
    parts = [f"none has come for {verdict.quiet_seconds:g} s"] if verdict.quiet_seconds is not None else []
    parts += [f"the first is {verdict.within_seconds:g} s old", f"they are {verdict.size}"]
    return "until " + " or ".join(parts)
