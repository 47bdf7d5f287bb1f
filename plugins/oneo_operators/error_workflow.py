"""The workflow that runs after another one has failed: which, once, and with what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dag_factory.examine import plan_of_published
from dag_factory.plan import Plan
from dag_factory.variables import must_be_given
from oneo.errors import UserError
from oneo.store import executions, families, tenants
from oneo.store.families import Origin
from oneo.store.models import Workflow, WorkflowVersion
from oneo.store.workflows import dag_id
from oneo_operators.admission import trigger_by_hand
from oneo_operators.catalogue import catalogue
from oneo_operators.links import run_url

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.store.models import Execution

TRIGGER_TYPE = "error"
# Instead of a workflow's id: no workflow at all, whatever the tenant's setting says.
NO_WORKFLOW = "none"


@dataclass(frozen=True)
class ErrorRun:
    """An execution of an error workflow.

    Attributes:
        execution_id: Follows from the failed execution's, so that there is one however often that one ends.
    """

    tenant_id: str
    execution_id: UUID
    version: int
    plan: Plan
    data: Mapping[str, Any]
    record_id: UUID | None

    @property
    def trigger_node(self) -> str | None:
        """The trigger that the failure stands for."""
        node = trigger_by_hand(self.plan)
        return node.id if node else None


def follow_up(session: Session, failed: Execution, own: str | None) -> ErrorRun | None:
    """Queue the error workflow of an execution that has just ended as failed.

    What keeps that workflow from running is noted with the failed execution's error.

    Args:
        session: A system session: both executions are written in one transaction.
        failed: The failed execution.
        own: What its definition says about an error workflow.

    Returns:
        The run; where the failed execution ran without Airflow it is not queued, and the caller carries it out.
    """
    try:
        run = _wanted(session, failed, own)
    except UserError as problem:
        failed.error = {**(failed.error or {}), "error_workflow": str(problem)}
        session.flush()
        return None
    if run is not None and not executions.is_local(failed):
        executions.enqueue(
            session,
            run.tenant_id,
            run.plan.workflow_id,
            version=run.version,
            trigger_node=run.trigger_node,
            trigger_type=TRIGGER_TYPE,
            data=run.data,
            dag_id=dag_id(run.tenant_id, run.plan.workflow_id),
            record_id=run.record_id,
            execution_id=run.execution_id,
            origin=Origin(chain=families.chain_of(session, failed.tenant_id, failed.id)),
        )
    return run


def _wanted(session: Session, failed: Execution, own: str | None) -> ErrorRun | None:
    if failed.trigger_type == TRIGGER_TYPE:
        # A failed error workflow starts none: it might be itself, for ever.
        return None
    tenant_id = failed.tenant_id
    name = own
    if failed.parent_execution_id is not None:
        above = families.ancestors(session, tenant_id, failed.id)
        if any(one.trigger_type == TRIGGER_TYPE for one in above):
            return None
    elif name is None:
        # What a sub-workflow's failure means to the tenant, the workflow that called it shows.
        name = tenants.settings_of(session, tenant_id).error_workflow
    if name in (None, NO_WORKFLOW, failed.workflow_id):
        return None
    plan, version = _published(session, tenant_id, str(name))
    data = _data(session, failed)
    triggers = [node.type for node in plan.triggers]
    for variable, spec in plan.variables.items():
        if must_be_given(spec, triggers) and variable not in data:
            message = f"error workflow {name!r} requires variable {variable!r}, which no failure gives"
            raise UserError(message, hint="give it a default")
    return ErrorRun(
        tenant_id, executions.id_for_error(failed.id), version, plan, data, record_id=failed.record_id
    )


def _published(session: Session, tenant_id: str, name: str) -> tuple[Plan, int]:
    workflow = session.get(Workflow, (tenant_id, name))
    if workflow is None or workflow.version == 0:
        raise UserError(
            f"error workflow {name!r} was never published", hint="publish it, or name another one"
        )
    if not workflow.active:
        raise UserError(
            f"error workflow {name!r} was withdrawn", hint="publish it again, or name another one"
        )
    row = session.get_one(WorkflowVersion, (tenant_id, name, workflow.version))
    try:
        return plan_of_published(row.document, catalogue()), row.version
    except Exception as error:
        # Say because a node type was uninstalled: the failed execution must end all the same.
        raise UserError(f"error workflow {name!r} cannot be read: {error}") from error


def _data(session: Session, failed: Execution) -> dict[str, Any]:
    error = failed.error or {}
    record_id = failed.data.get("record_id") or failed.record_id
    return {
        "error": error,
        "execution": {
            "id": str(failed.id),
            "workflow_id": failed.workflow_id,
            "workflow_name": session.get_one(Workflow, (failed.tenant_id, failed.workflow_id)).name,
            "version": failed.version,
            "url": run_url(failed),
            "started_at": failed.started_at.isoformat() if failed.started_at else None,
            "ended_at": failed.ended_at.isoformat() if failed.ended_at else None,
            "trigger_type": failed.trigger_type,
        },
        "failed_node": error.get("node"),
        **({"record_id": str(record_id)} if record_id else {}),
        "trigger_data": failed.data,
    }
