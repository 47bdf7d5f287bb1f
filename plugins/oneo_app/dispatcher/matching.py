"""Events to executions: each event is looked at once, in the transaction that queues what it starts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import InfrastructureError
from oneo.events import Event
from oneo.store import events, families, locks
from oneo.store.searched import types_of
from oneo_app.dispatcher.deciding import Chain, carry_out
from oneo_app.dispatcher.trigger_index import TriggerIndex

logger = logging.getLogger(__name__)

BATCH = 100


def match_events(database: Database, index: TriggerIndex | None = None) -> int:
    """Handle the next waiting events; returns how many there were.

    An event that cannot be handled, say because its data cannot be read, is set aside with the reason: those behind
    it, of all tenants, go on. `index` holds the active triggers, where the caller keeps them.
    """
    index = index if index is not None else TriggerIndex()
    try:
        return _match(database, index, BATCH)
    except (OperationalError, InfrastructureError):
        raise
    except Exception:
        logger.exception("some event cannot be handled; one by one then")
    try:
        return _match(database, index, 1)
    except (OperationalError, InfrastructureError):
        raise
    except Exception as error:
        with database.system() as session:
            event_id = events.set_next_aside(session, f"{type(error).__name__}: {error}")
        logger.exception("event %s is set aside", event_id)
        return 1


def _match(database: Database, index: TriggerIndex, limit: int) -> int:
    with database.system() as session:
        claimed = events.claim_waiting(session, limit)
        mine = locks.try_tenants(session, {event.tenant_id for event in claimed})
        waiting = [event for event in claimed if event.tenant_id in mine]
        if not waiting:
            return 0
        waiting = with_types(session, waiting)
        index.refresh(session)
        chain_of = chains(session)
        decisions = {event.id: decide(session, index, event, chain_of(event)) for event in waiting}
        events.mark_handled(session, waiting, decisions)
        return len(waiting)


def decide(session: Session, index: TriggerIndex, event: Event, chain: Chain) -> events.Decisions:
    """Ask every trigger that looks at the event, and do what it says (system session)."""
    return {
        trigger.address: carry_out(session, trigger, event, trigger.consider(event), chain).as_json()
        for trigger in index.looking_at(event)
    }


def with_types(session: Session, found: Sequence[Event]) -> list[Event]:
    """Events with the types of their records' fields (system session)."""
    pipelines = {_pipeline(event) for event in found if event.record_id is not None}
    types = types_of(session, pipelines)
    return [replace(event, types=types.get(_pipeline(event), {})) for event in found]


def _pipeline(event: Event) -> tuple[str, str]:
    return event.tenant_id, str(event.record.get("pipeline_id", event.topic))


def chains(session: Session) -> Callable[[Event], Chain]:
    """Finds the executions that led to an event, each chain read once (system session)."""
    known: dict[tuple[str, UUID], Chain] = {}

    def chain_of(event: Event) -> Chain:
        if event.caused_by is None:
            return ()
        key = (event.tenant_id, event.caused_by)
        if key not in known:
            known[key] = families.chain_of(session, *key)
        return known[key]

    return chain_of
