"""The store at a revision: which versions of which workflows were in service then, for whoever renders them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from oneo.store.models import Tenant, Workflow, WorkflowVersion
from oneo.store.workflows import dag_id


def current_revision(session: Session) -> int:
    """The newest revision of the store; 0 where nothing was ever published (system session)."""
    return session.scalar(select(func.max(WorkflowVersion.revision))) or 0


def count_until(session: Session, revision: int) -> int:
    """How many versions there are up to a revision; it falls when a tenant is removed (system session)."""
    versions = select(func.count()).select_from(WorkflowVersion)
    return session.scalar(versions.where(WorkflowVersion.revision <= revision)) or 0


@dataclass(frozen=True)
class Stored:
    """A workflow version as the bundle renders it.

    Attributes:
        first_published: Never changes with later versions.
        pool: The Airflow pool of its tenant, once there is one.
    """

    row: WorkflowVersion
    first_published: datetime
    pool: str | None


def at_revision(session: Session, revision: int, dag_id: str | None = None) -> list[Stored]:
    """The active workflows as they stood at `revision`, in a stable order (system session).

    Args:
        session: A system session.
        revision: The store's revision.
        dag_id: Only the workflow of this DAG id.
    """
    query = (
        select(WorkflowVersion, Workflow.created_at, Tenant.pool)
        .join(
            Workflow,
            (Workflow.tenant_id == WorkflowVersion.tenant_id) & (Workflow.id == WorkflowVersion.workflow_id),
        )
        .join(Tenant, Tenant.id == WorkflowVersion.tenant_id)
        .where(WorkflowVersion.revision <= revision)
        .ext(distinct_on(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id))
        .order_by(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id, WorkflowVersion.version.desc())
    )
    if dag_id is not None:
        tenant_id, _, workflow_id = dag_id.partition("--")
        query = query.where(WorkflowVersion.tenant_id == tenant_id)
        query = query.where(WorkflowVersion.workflow_id == workflow_id)
    return [Stored(*found) for found in session.execute(query) if found[0].active]


def earlier_versions(session: Session, row: WorkflowVersion) -> Iterator[WorkflowVersion]:
    """The workflow's versions before this one, newest first (system session)."""
    query = select(WorkflowVersion).where(
        WorkflowVersion.tenant_id == row.tenant_id,
        WorkflowVersion.workflow_id == row.workflow_id,
        WorkflowVersion.version < row.version,
        WorkflowVersion.active,
    )
    yield from session.scalars(query.order_by(WorkflowVersion.version.desc()))


def changed_since(session: Session, revision: int, until: int) -> list[tuple[str, str]]:
    """(tenant, workflow) of everything published or withdrawn in (revision, until] (system session)."""
    query = select(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id).distinct()
    query = query.where(WorkflowVersion.revision > revision, WorkflowVersion.revision <= until)
    return [(row[0], row[1]) for row in session.execute(query)]


def live_dag_ids(session: Session, revision: int) -> list[str]:
    """DAG ids of the workflows that are active at `revision` (system session)."""
    query = (
        select(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id, WorkflowVersion.active)
        .where(WorkflowVersion.revision <= revision)
        .ext(distinct_on(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id))
        .order_by(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id, WorkflowVersion.version.desc())
    )
    return [dag_id(tenant, workflow) for tenant, workflow, active in session.execute(query) if active]
