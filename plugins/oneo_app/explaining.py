"""Why an event started a workflow, or did not: what was decided, and where nothing was, why nobody asked.

Triggers that did not look at an event leave no trace; why is worked out here, from the version of the workflow that was
in force when the event was handled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from dag_factory.examine import examine
from dag_factory.publish import trigger_rows
from oneo.events import TIMER, Event
from oneo.store import event_log, workflows
from oneo.store.events import Row, as_event
from oneo.store.models import ActiveTrigger, WorkflowVersion
from oneo.store.timers import address
from oneo.store.workflows import TriggerRow
from oneo.verdicts import Refuses
from oneo_app.dispatcher.trigger_index import ALL, candidate
from oneo_app.event_report import became, summary
from oneo_operators.catalogue import catalogue


def explain(session: Session, workflow_id: str, row: Row) -> dict[str, Any]:
    """An event and, for each trigger of a workflow, what was decided about it and why.

    Raises:
        NotFoundError: No such workflow.
    """
    workflows.get(session, workflow_id)
    return {**summary(row), "workflow": workflow_id, "decisions": list(_decisions(session, workflow_id, row))}


def _decisions(session: Session, workflow_id: str, row: Row) -> Iterator[dict[str, Any]]:
    if row.handled_at is None:
        yield _said(None, "waiting", "no dispatcher has looked at the event yet")
        return
    if row.problem is not None:
        yield _said(None, "set aside", f"the event could not be handled: {row.problem}")
        return
    kept = {
        where: decision
        for where, decision in (row.decisions or {}).items()
        if where.partition("/")[0] == workflow_id
    }
    for where, decision in kept.items():
        state = became(session, row.tenant_id, decision)
        yield {**_said(where, decision["outcome"], decision.get("reason", "")), "became": state}
    version = event_log.version_at(session, workflow_id, row.handled_at)
    if version is not None and version.active:
        for trigger, reason in _not_asked(version, as_event(row)):
            if trigger not in kept:
                yield _said(trigger, "not considered", reason)
    elif not kept:
        yield _said(None, "not considered", _out_of_service(session, workflow_id, version))


def _out_of_service(session: Session, workflow_id: str, version: WorkflowVersion | None) -> str:
    if version is not None:
        return f"the workflow had been withdrawn, at {version.published_at:%Y-%m-%d %H:%M:%S}"
    if workflows.get(session, workflow_id).version == 0:
        return "the workflow has never been published"
    first = workflows.get_version(session, workflow_id, 1)
    return f"the workflow was published later, at {first.published_at:%Y-%m-%d %H:%M:%S}"


def _not_asked(version: WorkflowVersion, event: Event) -> Iterator[tuple[str | None, str]]:
    examination = examine(version.document, catalogue())
    if examination.workflow is None or examination.plan is None:
        yield (
            None,
            f"version {version.version} cannot be read by this release: {examination.problems[0].message}",
        )
        return
    for row in trigger_rows(examination.workflow, examination.plan, catalogue()):
        where = address(version.workflow_id, row.node_id)
        yield where, _elsewhere(row, event, where) or _asked_now(version, row, event)


def _elsewhere(row: TriggerRow, event: Event, where: str) -> str | None:
    """What a trigger looks at instead; None where it looks at the event."""
    if not row.event_kinds:
        return f"{row.type} is started by no event"
    if event.kind == TIMER:
        return None if event.topic == where else f"the moment is one that {event.topic} waited for"
    if event.kind not in row.event_kinds:
        return f"{row.type} looks at events of kind {', '.join(row.event_kinds)}, this one is {event.kind!r}"
    if ALL not in row.topics and event.topic not in row.topics:
        return f"{row.type} watches {', '.join(map(repr, row.topics))}, the event is about {event.topic!r}"
    return None


def _asked_now(version: WorkflowVersion, row: TriggerRow, event: Event) -> str:
    """What the trigger says now about an event that it was, for all we know, not asked about."""
    trigger = ActiveTrigger(
        tenant_id=version.tenant_id,
        workflow_id=version.workflow_id,
        node_id=row.node_id,
        type=row.type,
        version=version.version,
        config=dict(row.config),
        policy=dict(row.policy),
    )
    verdict = candidate(trigger).consider(event)
    said = verdict.reason if isinstance(verdict, Refuses) else "it would start the workflow"
    return f"nothing was noted; asked now, version {version.version} says: {said}"


def _said(trigger: str | None, outcome: str, reason: str) -> dict[str, Any]:
    return {"trigger": trigger, "outcome": outcome, "reason": reason, "became": None}
