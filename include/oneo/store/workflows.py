"""Workflows and their versions: publish, withdraw, read back at any revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Sequence as SqlSequence
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.store.models import ActiveTrigger, Timer, Workflow, WorkflowVersion
from oneo.suggest import did_you_mean

_REVISION = SqlSequence("workflow_revision")
# Revisions must become visible in their order, or a reader could miss the lower of two.
_PUBLISH_LOCK = 823477002


@dataclass(frozen=True)
class TriggerRow:
    """A trigger node as the dispatcher matches it.

    Attributes:
        event_kinds: Kinds of the events it looks at; none where Airflow or a person starts.
        topics: Which of them, e.g. pipelines; `*` for all.
        policy: Which of those that fit may start the workflow.
        existing: Whether it is to be shown the records that are there already.
    """

    node_id: str
    type: str
    config: Mapping[str, Any]
    event_kinds: Sequence[str] = ()
    topics: Sequence[str] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    existing: bool = False


@dataclass(frozen=True)
class Published:
    """What a publish brought about."""

    workflow_id: str
    version: int
    revision: int


def publish(
    session: Session,
    tenant_id: str,
    workflow_id: str,
    *,
    name: str,
    document: Mapping[str, Any],
    definition_hash: str,
    triggers: Iterable[TriggerRow],
    published_by: str | None = None,
) -> Published:
    """Store the document as the workflow's next version and make it the active one.

    The caller has checked the document; version, triggers and workflow row change in one transaction.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PUBLISH_LOCK})
    version = _upsert(session, tenant_id, workflow_id, name, active=True)
    revision = session.execute(select(_REVISION.next_value())).scalar_one()
    session.add(
        WorkflowVersion(
            tenant_id=tenant_id,
            workflow_id=workflow_id,
            version=version,
            revision=revision,
            active=True,
            document=dict(document),
            definition_hash=definition_hash,
            published_by=published_by,
        )
    )
    _drop_triggers(session, tenant_id, workflow_id)
    session.add_all(
        ActiveTrigger(
            tenant_id=tenant_id,
            workflow_id=workflow_id,
            node_id=row.node_id,
            type=row.type,
            version=version,
            event_kinds=list(row.event_kinds),
            topics=list(row.topics),
            config=dict(row.config),
            policy=dict(row.policy),
            all_seen=not row.existing,
        )
        for row in triggers
    )
    session.flush()
    return Published(workflow_id, version, revision)


def withdraw(session: Session, tenant_id: str, workflow_id: str) -> Published:
    """Take the workflow out of service; its versions and executions stay.

    Raises:
        NotFoundError: No such workflow.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PUBLISH_LOCK})
    last = get_version(session, workflow_id)
    version = _upsert(session, tenant_id, workflow_id, get(session, workflow_id).name, active=False)
    revision = session.execute(select(_REVISION.next_value())).scalar_one()
    session.add(
        WorkflowVersion(
            tenant_id=tenant_id,
            workflow_id=workflow_id,
            version=version,
            revision=revision,
            active=False,
            document=last.document,
            definition_hash=last.definition_hash,
        )
    )
    _drop_triggers(session, tenant_id, workflow_id)
    # Published again, it is shown what there is by then; a moment that was kept would speak of an earlier state.
    session.execute(delete(Timer).where(Timer.tenant_id == tenant_id, Timer.workflow_id == workflow_id))
    return Published(workflow_id, version, revision)


def _drop_triggers(session: Session, tenant_id: str, workflow_id: str) -> None:
    mine = (ActiveTrigger.tenant_id == tenant_id) & (ActiveTrigger.workflow_id == workflow_id)
    session.execute(delete(ActiveTrigger).where(mine))


def _upsert(session: Session, tenant_id: str, workflow_id: str, name: str, *, active: bool) -> int:
    statement = insert(Workflow).values(
        tenant_id=tenant_id, id=workflow_id, name=name, version=1, active=active
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={
            "name": name,
            "version": Workflow.version + 1,
            "active": active,
            "render_error": None,
            "updated_at": func.now(),
        },
    )
    return session.execute(statement.returning(Workflow.version)).scalar_one()


def ensure_known(session: Session, tenant_id: str, workflow_id: str, name: str) -> int:
    """Make room for executions of a workflow that may not be published: version 0, not active.

    Returns:
        The newest version of the workflow; 0 where it was never published.
    """
    draft = insert(Workflow).values(tenant_id=tenant_id, id=workflow_id, name=name, version=0, active=False)
    session.execute(draft.on_conflict_do_nothing())
    return get(session, workflow_id).version


def all_workflows(session: Session) -> list[Workflow]:
    """The tenant's published workflows, by id."""
    return list(session.scalars(select(Workflow).where(Workflow.version > 0).order_by(Workflow.id)))


def get(session: Session, workflow_id: str) -> Workflow:
    """The workflow.

    Raises:
        NotFoundError: No such workflow; the message names the nearest.
    """
    row = session.scalar(select(Workflow).where(Workflow.id == workflow_id))
    if row is None:
        known = list(session.scalars(select(Workflow.id)))
        raise NotFoundError(f"there is no workflow {workflow_id!r}", hint=did_you_mean(workflow_id, known))
    return row


def get_version(session: Session, workflow_id: str, version: int | None = None) -> WorkflowVersion:
    """A version of a workflow, by default the newest.

    Raises:
        NotFoundError: No such workflow or version.
    """
    version = version if version is not None else get(session, workflow_id).version
    row = session.scalar(
        select(WorkflowVersion).where(
            WorkflowVersion.workflow_id == workflow_id, WorkflowVersion.version == version
        )
    )
    if row is None:
        raise NotFoundError(f"workflow {workflow_id!r} has no version {version}")
    return row


def running_version(session: Session, tenant_id: str, workflow_id: str) -> WorkflowVersion | None:
    """The version that Airflow runs; None where it stands in for one that cannot be rendered (system session)."""
    query = select(WorkflowVersion).join(
        Workflow,
        (Workflow.tenant_id == WorkflowVersion.tenant_id)
        & (Workflow.id == WorkflowVersion.workflow_id)
        & (Workflow.live_version == WorkflowVersion.version),
    )
    found = query.where(
        Workflow.tenant_id == tenant_id, Workflow.id == workflow_id, Workflow.render_error.is_(None)
    )
    return session.scalar(found)


def awaiting_airflow(session: Session) -> list[Workflow]:
    """Active workflows whose newest version Airflow has not taken up yet (system session)."""
    query = select(Workflow).where(Workflow.active, Workflow.live_version.is_distinct_from(Workflow.version))
    return list(session.scalars(query))


def overdue(session: Session, seconds: float) -> list[str]:
    """DAG ids of active workflows whose newest version Airflow should have taken up by now (system session)."""
    query = select(Workflow.tenant_id, Workflow.id).where(
        Workflow.active,
        Workflow.live_version.is_distinct_from(Workflow.version),
        Workflow.render_error.is_(None),
        Workflow.updated_at < func.now() - timedelta(seconds=seconds),
    )
    return [dag_id(tenant, workflow) for tenant, workflow in session.execute(query)]


def mark_live(session: Session, tenant_id: str, workflow_id: str, version: int) -> None:
    """Note that Airflow runs `version` from now on (system session)."""
    session.execute(
        update(Workflow)
        .where(Workflow.tenant_id == tenant_id, Workflow.id == workflow_id)
        .values(live_version=version)
    )


def note_render_error(session: Session, row: WorkflowVersion, error: str | None) -> None:
    """Keep why a published version cannot be rendered, or that it can (system session)."""
    session.execute(
        update(Workflow)
        .where(
            Workflow.tenant_id == row.tenant_id,
            Workflow.id == row.workflow_id,
            Workflow.version == row.version,
            Workflow.render_error.is_distinct_from(error),
        )
        .values(render_error=error)
    )


def dag_id(tenant_id: str, workflow_id: str) -> str:
    """The Airflow DAG id of a workflow. A tenant id holds no `--`, so this is one to one."""
    return f"{tenant_id}--{workflow_id}"
