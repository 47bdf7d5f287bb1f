"""What must be there for a function of the store to have something to do, beside what every world has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.approvals import ApprovalRequest
from oneo.store import (
    api_tokens,
    approvals,
    events,
    executions,
    form_links,
    holds,
    inbox,
    notifications,
    records,
    relations,
    workflows,
)
from oneo.store.endings import ENDED
from oneo.store.families import INLINE, Origin
from oneo.store.form_links import LinkOptions
from oneo.store.forms import FORM
from tests.tenants.world import EMAIL, LATER, Ids, form_of

# In a session of the tenant; what it returns stands in the aim as `given`.
Preparation = Callable[[Session, str, Ids], Any]


def sql(statement: str, role: str = "oneo_app") -> Preparation:
    """A statement about the tenant's rows; `:record`, `:execution` and the like are its ids."""

    def run(session: Session, tenant: str, ids: Ids) -> None:
        session.execute(text(f"SET LOCAL ROLE {role}"))
        session.execute(text(statement), {"tenant": tenant, **vars(ids)})

    return run


def together(*parts: Preparation) -> Preparation:
    """One after the other."""

    def run(session: Session, tenant: str, ids: Ids) -> None:
        for part in parts:
            session.execute(text("SET LOCAL ROLE oneo_app"))
            part(session, tenant, ids)

    return run


def execution(status: str, run: str | None = None, *, child: bool = False, held: bool = False) -> Preparation:
    """Another execution, before the one that is there or inside it."""

    def one(session: Session, tenant: str, ids: Ids) -> None:
        made = executions.enqueue(
            session,
            tenant,
            ids.workflow,
            version=2,
            trigger_node="start",
            trigger_type="trigger_manual",
            data={},
            dag_id=workflows.dag_id(tenant, ids.workflow),
            record_id=ids.record,
            origin=Origin(parent_execution_id=ids.execution, parent_node="set") if child else Origin(),
        )
        session.execute(
            text(
                "UPDATE executions SET status = :status, run_id = coalesce(:run, run_id), held = :held,"
                " created_at = created_at - interval '1 day' WHERE id = :id AND tenant_id = :tenant"
            ),
            {"status": status, "run": run, "held": held, "id": made, "tenant": tenant},
        )

    return one


def _link(session: Session, tenant: str, ids: Ids) -> str:
    return form_links.create(session, tenant, form_of(ids, "x"), LinkOptions(), LATER)[1]


def _key(session: Session, tenant: str, ids: Ids) -> str:
    return api_tokens.create(session, tenant, "prepared", ["events"])[1]


def _deleted(session: Session, tenant: str, ids: Ids) -> None:
    records.delete(session, records.get(session, ids.record, lock=True))


def _child_record(session: Session, tenant: str, ids: Ids) -> None:
    both = (records.get(session, one) for one in (ids.record, ids.duplicate))
    relations.relate(session, *both, "family")


def _hold(session: Session, tenant: str, ids: Ids) -> None:
    subject = f"{ids.workflow}@example.com"
    if not any(one.subject == subject for one in holds.all_holds(session)):
        holds.place(session, tenant, "email", subject, reason="prepared", set_by="prepared")


def _record_hold(session: Session, tenant: str, ids: Ids) -> None:
    holds.place(session, tenant, "record", str(ids.record), reason="prepared", set_by="prepared")


def _incoming(session: Session, tenant: str, ids: Ids) -> None:
    inbox.put(session, tenant, "app", "changed", {"word": "x"}, key="changed")


def _decided(session: Session, tenant: str, ids: Ids) -> None:
    session.execute(text("SET LOCAL ROLE oneo_system"))
    events.note_decision(session, tenant, [ids.event], f"{ids.workflow}/start", {"outcome": "x"})


def message(channel: str, due_at: datetime | None = None) -> Preparation:
    """A message that waits to be sent over a channel."""

    def one(session: Session, tenant: str, ids: Ids) -> None:
        notifications.create(
            session,
            tenant,
            notification_id=uuid4(),
            channel=channel,
            recipient="eva",
            title="x",
            message="x",
            priority="low",
            link_url=None,
            execution_id=ids.execution,
            node_id="set",
            due_at=due_at,
        )

    return one


def _late(session: Session, tenant: str, ids: Ids) -> None:
    late = ApprovalRequest("x", ["x"], expires_at=LATER - timedelta(days=50_000))
    approvals.request(session, tenant, late, key="late")


def trigger(kind: str, topic: str = "*") -> Preparation:
    """A trigger that waits for such events."""
    return sql(
        "INSERT INTO active_triggers (tenant_id, workflow_id, node_id, type, version, event_kinds, topics, config)"
        f" VALUES (:tenant, :workflow, 'prepared', 'x', 2, '{{{kind}}}', '{{{topic}}}', '{{}}')"
    )


RUNNING = sql("UPDATE executions SET status = 'running', started_at = now() - interval '1 hour' WHERE id = :execution"
              " AND tenant_id = :tenant")  # fmt: skip
ENDED_ALL = sql("UPDATE executions SET status = 'success' WHERE tenant_id = :tenant")
IN_DOCUMENT = sql(
    "UPDATE workflow_versions SET document = jsonb_set(document::jsonb, '{description}', '\""
    + EMAIL
    + "\"')::json"
    " WHERE workflow_id = :workflow AND tenant_id = :tenant",
    "oneo_removal",
)
HANDLED = together(
    sql("UPDATE record_events SET handled_at = now() WHERE tenant_id = :tenant", "oneo_system"),
    sql("UPDATE inbox SET handled_at = now() WHERE tenant_id = :tenant", "oneo_system"),
)
HELD = sql("UPDATE record_events SET held_at = now() WHERE tenant_id = :tenant", "oneo_system")
LIVE = sql(
    "UPDATE workflows SET live_version = 2 WHERE id = :workflow AND tenant_id = :tenant", "oneo_system"
)
WAITING = sql(
    "UPDATE execution_log SET status = 'waiting' WHERE node_id = 'open' AND tenant_id = :tenant",
    "oneo_system",
)
QUEUED = message("changed")
SENDING = together(
    QUEUED,
    sql(
        "UPDATE notifications SET status = 'sending', tried_at = now() WHERE tenant_id = :tenant",
        "oneo_system",
    ),
    sql("UPDATE notifications SET problem = 'x' WHERE tenant_id = :tenant", "oneo_system"),
)
NO_HOLDS = sql("DELETE FROM legal_holds WHERE tenant_id = :tenant", "oneo_removal")

PREPARED: Mapping[str, Preparation] = {
    "api_tokens.bearer": _key,
    "approvals.expire_due": _late,
    "deletion.archive_deleted": _deleted,
    "deletion.restore": _deleted,
    "documents.in_service": IN_DOCUMENT,
    "documents.take_out": IN_DOCUMENT,
    "endings.announce": trigger(ENDED),
    "erasure.erase": ENDED_ALL,
    "event_log.recent": _decided,
    "execution_queue.claim_along": together(LIVE, execution("pending")),
    "execution_queue.claim_due": LIVE,
    "execution_queue.count_waiting": LIVE,
    "execution_queue.runs_at_work": RUNNING,
    "executions.note_rest": together(RUNNING, WAITING),
    "dag_runs.claim_ended": sql(
        "UPDATE executions SET run_state = 'success' WHERE id = :execution AND tenant_id = :tenant"
    ),
    "executions.has_lasted": RUNNING,
    "dag_runs.open_runs": RUNNING,
    "dag_runs.requeue": RUNNING,
    "families.children": execution("pending", child=True),
    "families.open_inside": execution("running", f"{INLINE}prepared", child=True),
    "families.take_queued": execution("pending", child=True),
    "form_links.by_token": _link,
    "forms.triggers_of": trigger(FORM),
    "gatherings.take_due": sql("UPDATE gatherings SET due_at = now() WHERE tenant_id = :tenant", "oneo_system"),
    "held_events.count": HELD,
    "held_events.release": HELD,
    "holds.all_holds": _hold,
    "holds.lift": _hold,
    "holds.reasons": _record_hold,
    "inbox.find": _incoming,
    "inbox.recent": _incoming,
    "notifications.release_due": message("in_app", LATER - timedelta(days=50_000)),
    "quotas.wait_to_start": sql(
        "UPDATE tenants SET settings = settings || '{\"max_active_executions\": 0}' WHERE id = :tenant", "oneo_system"
    ),
    "quotas.wait_of_workflow": RUNNING,
    "log.resume": WAITING,
    "outgoing.claim": QUEUED,
    "outgoing.expire": QUEUED,
    "outgoing.explain": QUEUED,
    "outgoing.give_up": SENDING,
    "outgoing.send_again": sql(
        "UPDATE notifications SET status = 'failed' WHERE id = :notification AND tenant_id = :tenant", "oneo_system"
    ),
    "outgoing.settle": SENDING,
    "outgoing.tenants_waiting": QUEUED,
    "outgoing.troubled": together(
        SENDING, sql("UPDATE notifications SET status = 'unknown' WHERE tenant_id = :tenant", "oneo_system")
    ),
    "relations.descendants": _child_record,
    "relations.move": _child_record,
    "relations.of_record": _child_record,
    "retention.remove_handled": together(ENDED_ALL, HANDLED),
    "sources.captured": sql(
        "UPDATE pipelines SET source = jsonb_build_object('connection_id', 'crm', 'table', 'people', 'key', 'id',"
        " 'fields', jsonb_build_object('name', 'name'), 'updated_at', 'changed', 'capture', 'polling')"
        " WHERE id = :pipeline AND tenant_id = :tenant"
    ),
    "starts.before": execution("running"),
    "starts.previous": execution("pending"),
    "starts.wake": execution("pending", held=True),
    "tenants.remove": NO_HOLDS,
    "tenants.running": RUNNING,
    "timers.fire_due": HANDLED,
    "triggers.claim_unseen": sql(
        "UPDATE active_triggers SET all_seen = false WHERE tenant_id = :tenant", "oneo_system"
    ),
    "triggers.policy_of": sql(
        "UPDATE active_triggers SET policy = '{\"overlap\": \"queue\"}' WHERE tenant_id = :tenant"
    ),
    "workflows.running_version": LIVE,
}  # fmt: skip
