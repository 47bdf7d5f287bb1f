"""Events looked at once more, because somebody asks for it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.events import Event
from oneo.store import event_log, events
from oneo.store.models import Execution
from oneo_app.dispatcher.deciding import Chain, Decision, carry_out
from oneo_app.dispatcher.matching import chains
from oneo_app.dispatcher.trigger_index import Candidate, TriggerIndex


def look_again(
    database: Database, tenant_id: str, event_id: int, workflow_id: str | None = None
) -> events.Decisions | None:
    """Show an event to the triggers as they are now; what it has started already is not started again.

    Args:
        database: The store.
        tenant_id: The tenant.
        event_id: The event.
        workflow_id: Only to the triggers of this workflow.

    Returns:
        What was decided, by trigger; None where the event had been set aside and is back in the queue.

    Raises:
        NotFoundError: No such event, or no trigger of that workflow looks at it.
        UserError: The event waits already, or all workflows have yet to look at it.
    """
    with database.system() as session:
        row = event_log.locked(session, tenant_id, event_id)
        if row.handled_at is None:
            raise UserError(
                f"event {event_id} has not been handled yet",
                hint="wait for the dispatcher; `oneo status` shows it",
            )
        if row.problem is not None:
            if workflow_id is not None:
                raise UserError(
                    f"event {event_id} was set aside before any workflow looked at it",
                    hint="replay it without --workflow",
                )
            event_log.put_back(row)
            return None
        index = TriggerIndex()
        index.refresh(session)
        event = events.as_event(row)
        chain = chains(session)(event)
        earlier = row.decisions or {}
        found = [
            trigger
            for trigger in index.looking_at(event)
            if workflow_id is None or trigger.row.workflow_id == workflow_id
        ]
        if workflow_id is not None and not found:
            raise NotFoundError(
                f"no trigger of workflow {workflow_id!r} looks at event {event_id}",
                hint=f"`oneo explain --event {event_id} --workflow {workflow_id}` says why",
            )
        decisions = {
            trigger.address: _decide(session, trigger, event, chain, earlier).as_json() for trigger in found
        }
        row.decisions = {**earlier, **decisions}
        return decisions


def bring_about_again(database: Database, tenant_id: str, event_id: int) -> int:
    """Copy an event as a new one, for which workflows start again; returns its number.

    Raises:
        NotFoundError: No such event.
    """
    with database.system() as session:
        return event_log.copy(session, event_log.locked(session, tenant_id, event_id))


def _decide(
    session: Session, trigger: Candidate, event: Event, chain: Chain, earlier: events.Decisions
) -> Decision:
    # An event that was gathered with others is part of an execution that has another event's number.
    known = earlier.get(trigger.address, {}).get("execution")
    row = session.get(Execution, (event.tenant_id, known)) if known else None
    if row is not None:
        return Decision("known", "this event has started the workflow before", row.id)
    return carry_out(session, trigger, event, trigger.consider(event), chain)
