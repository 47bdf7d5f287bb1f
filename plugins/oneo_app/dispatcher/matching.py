"""Events to executions: each event is looked at once, in the transaction that queues what it starts."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import InfrastructureError, UserError
from oneo.filters import matches, parse
from oneo.store import events, executions, records
from oneo.store.models import ActiveTrigger, RecordEvent
from oneo.store.searched import types_of
from oneo.store.workflows import dag_id

logger = logging.getLogger(__name__)

BATCH = 100


def match_events(database: Database) -> int:
    """Handle the next waiting record events; returns how many there were.

    An event that cannot be handled, say because its data cannot be read, is set aside with the reason: those behind
    it, of all tenants, go on.
    """
    try:
        return _match(database, BATCH)
    except (OperationalError, InfrastructureError):
        raise
    except Exception:
        logger.exception("some event cannot be handled; one by one then")
    try:
        return _match(database, 1)
    except (OperationalError, InfrastructureError):
        raise
    except Exception as error:
        with database.system() as session:
            event_id = events.set_next_aside(session, f"{type(error).__name__}: {error}")
        logger.exception("event %s is set aside", event_id)
        return 1


def _match(database: Database, limit: int) -> int:
    with database.system() as session:
        waiting = events.claim_waiting(session, limit)
        if not waiting:
            return 0
        batches: dict[tuple[str, str, str], list[RecordEvent]] = defaultdict(list)
        triggers = events.triggers_for(session, waiting)
        types = types_of(session, ((event.tenant_id, event.pipeline_id) for event in waiting))
        for event in waiting:
            for trigger in triggers:
                known = types.get((event.tenant_id, event.pipeline_id), {})
                if not events.watches(trigger, event) or not _fits(trigger, event, known):
                    continue
                if trigger.config.get("batch_processing"):
                    batches[trigger.tenant_id, trigger.workflow_id, trigger.node_id].append(event)
                else:
                    _enqueue(session, trigger, event, event_data(event))
        for trigger in triggers:
            together = batches.get((trigger.tenant_id, trigger.workflow_id, trigger.node_id))
            if together:
                _enqueue(session, trigger, together[0], batch_data(together))
        events.mark_handled(session, waiting)
        return len(waiting)


def _fits(trigger: ActiveTrigger, event: RecordEvent, types: Mapping[str, str]) -> bool:
    try:
        conditions = parse(trigger.config.get("field_filters") or {}, types)
    except UserError:
        # Filters are checked at publish: one that cannot be read came in another way and must not stop the queue.
        logger.exception(
            "trigger %s of workflow %s/%s", trigger.node_id, trigger.tenant_id, trigger.workflow_id
        )
        return False
    return matches(conditions, records.view_image(event.after or event.before or {})) is None


def _enqueue(session: Session, trigger: ActiveTrigger, event: RecordEvent, data: dict[str, Any]) -> None:
    delay = int(trigger.config.get("delay_seconds") or 0)
    executions.enqueue(
        session,
        trigger.tenant_id,
        trigger.workflow_id,
        version=trigger.version,
        trigger_node=trigger.node_id,
        trigger_type=trigger.type,
        data=data,
        dag_id=dag_id(trigger.tenant_id, trigger.workflow_id),
        event_id=event.id,
        record_id=event.record_id if "records" not in data else None,
        run_after=event.created_at + timedelta(seconds=delay) if delay else None,
    )


def event_data(event: RecordEvent) -> dict[str, Any]:
    """Trigger data of a record event: the record's fields, flat, and what happened to it."""
    image = records.view_image(event.after or event.before or {})
    about = {
        "event": event.kind,
        "event_id": event.id,
        "record_id": str(event.record_id),
        "pipeline_id": event.pipeline_id,
        "changed": list(event.changed),
        "record": image,
    }
    if event.before is not None:
        about["before"] = records.view_image(event.before)
    return {**image, **about}


def batch_data(together: Sequence[RecordEvent]) -> dict[str, Any]:
    """Trigger data of several events handled by one execution."""
    return {
        "event": together[0].kind,
        "event_id": together[0].id,
        "pipeline_id": together[0].pipeline_id,
        "count": len(together),
        "records": [records.view_image(event.after or event.before or {}) for event in together],
    }
