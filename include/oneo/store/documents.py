"""Published documents as far as they name a person."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from oneo.store.address import Address
from oneo.store.executions import FINAL
from oneo.store.models import Execution, Workflow, WorkflowVersion


def in_service(session: Session, address: Address) -> list[str]:
    """The versions in service that name the address: what runs must not change under its author's hands."""
    version = WorkflowVersion
    running = select(Execution.id).where(
        Execution.workflow_id == version.workflow_id,
        Execution.version == version.version,
        Execution.status.not_in(FINAL),
    )
    this = (Workflow.tenant_id == version.tenant_id) & (Workflow.id == version.workflow_id)
    newest = Workflow.active & (Workflow.version == version.version)
    query = select(version).join(Workflow, this).where(or_(newest, running.exists()))
    query = query.where(address.could_be_in(version.document))
    rows = session.scalars(query.order_by(version.workflow_id, version.version))
    return [
        f"workflow {row.workflow_id!r} version {row.version}"
        for row in rows
        if address.stands_in(row.document)
    ]


def take_out(session: Session, address: Address) -> int:
    """Take the address out of all versions (removal session).

    Returns:
        How many there were.
    """
    columns = (WorkflowVersion.document, WorkflowVersion.published_by)
    count = 0
    for row in session.scalars(select(WorkflowVersion).where(address.could_be_in(*columns))):
        if address.stands_in([row.document, row.published_by]):
            row.document, row.published_by = (
                address.taken_out(row.document),
                address.taken_out(row.published_by),
            )
            count += 1
    session.flush()
    return count
