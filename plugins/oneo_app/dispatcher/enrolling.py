"""Whether an event that fits a trigger may start its workflow: what `settings.start` says against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from oneo.events import Event
from oneo.store import starts, suppressions
from oneo.verdicts import Gathers, Starts, Verdict
from oneo_app.dispatcher.trigger_index import Candidate

# Gathers what comes while a workflow has had as many executions as it may; no trigger's own key has a colon at its end.
COALESCED = "settings.start:"
_MOST_TOLD = 100


def kept_out(session: Session, trigger: Candidate, event: Event, verdict: Verdict) -> str | None:
    """Why the event's record does not start the workflow, whatever else runs; None where it may (system session).

    `verdict` is what the trigger says about the event: the data it starts with counts, too.
    The caller holds the tenant (`locks.try_tenants`), here and below: nobody else decides meanwhile.
    """
    row, policy = trigger.row, trigger.policy
    told = verdict.data if isinstance(verdict, Starts) and verdict.data is not None else {}
    data = {**event.data, **event.record, **told}
    found = suppressions.listed(session, row.tenant_id, policy.suppression_lists, data)
    if found is not None:
        return suppressed(*found)
    return reenrolled(session, trigger, event.record_id)


def all_kept_out(session: Session, trigger: Candidate, events: Sequence[Event]) -> dict[int, str]:
    """Why some of several events do not start the workflow, by event; none of those that may (system session)."""
    reasons = {event.id: kept_out(session, trigger, event, trigger.consider(event)) for event in events}
    return {event_id: reason for event_id, reason in reasons.items() if reason is not None}


def is_whole(trigger: Candidate, event: Event) -> bool:
    """Whether what was gathered starts all of it or not at all, such as the ends of several workflows."""
    verdict = trigger.consider(event)
    return isinstance(verdict, Gathers) and bool(verdict.all_of)


def suppressed(list_name: str, kind: str) -> str:
    """The reason for somebody who stands on a list; it does not repeat what stands there."""
    return f"its {kind} is on suppression list {list_name!r} (settings.start.suppression_lists)"


def reenrolled(session: Session, trigger: Candidate, record_id: UUID | None) -> str | None:
    """Why a record does not start the workflow once more; None where it may (system session)."""
    row, often = trigger.row, trigger.policy.enrollment
    if record_id is None or often == "every_time":
        return None
    if often == "once":
        earlier = starts.enrolled(session, row.tenant_id, row.workflow_id, record_id)
        done = "the record has had"
    else:
        earlier = starts.open_one(session, row.tenant_id, row.workflow_id, record_id)
        done = "the record still has"
    return f"{done} execution {earlier} (settings.start.enrollment: {often})" if earlier else None


def left_out(session: Session, trigger: Candidate, record_id: UUID | None) -> str | None:
    """Why what runs or ran already leaves no room for another execution; None where it does (system session)."""
    row, policy = trigger.row, trigger.policy
    if policy.overlap == "skip" and (policy.overlap_key == "workflow" or record_id is not None):
        only = record_id if policy.overlap_key == "record" else None
        other = starts.open_one(session, row.tenant_id, row.workflow_id, only)
        if other is not None:
            return f"execution {other} has not ended (settings.start.overlap: skip)"
    if policy.on_limit == "drop" and _full_seconds(session, trigger) is not None:
        return (
            f"{policy.max_executions_per_hour} executions have come within an hour "
            "(settings.start.max_executions_per_hour, on_limit: drop)"
        )
    return None


def coalesces(session: Session, trigger: Candidate) -> Gathers | None:
    """How the event waits for room together with others; None where it need not (system session)."""
    if trigger.policy.on_limit != "coalesce":
        return None
    seconds = _full_seconds(session, trigger)
    return None if seconds is None else Gathers(COALESCED, within_seconds=seconds)


def _full_seconds(session: Session, trigger: Candidate) -> float | None:
    row, most = trigger.row, trigger.policy.max_executions_per_hour
    if most is None:
        return None
    return starts.full_seconds(session, row.tenant_id, row.workflow_id, most)


def coalesced(trigger: Candidate, events: Sequence[Event]) -> dict[str, Any]:
    """Trigger data of events that became one execution: the newest one's, and those of the last of all."""
    told = [_told(trigger, event) for event in events[-_MOST_TOLD:]]
    return {**told[-1], "count": len(events), "events": told}


def _told(trigger: Candidate, event: Event) -> Mapping[str, Any]:
    verdict = trigger.consider(event)
    own = verdict.data if isinstance(verdict, Starts) else None
    return event.trigger_data() if own is None else own
