"""Publishing: a document becomes the next version of its workflow, or nothing happens at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dag_factory.catalogue import Catalogue
from dag_factory.check_missing import refused
from dag_factory.definition import Workflow
from dag_factory.examine import examine
from dag_factory.plan import Plan, PlanNode
from dag_factory.reading import read
from oneo.database import Database
from oneo.errors import InvalidDefinitionError, NotFoundError
from oneo.store import tenants, workflows
from oneo.store.workflows import Published, TriggerRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def publish(
    database: Database,
    tenant_id: str,
    document: Any,
    catalogue: Catalogue,
    *,
    published_by: str | None = None,
    with_missing_nodes: bool = False,
) -> Published:
    """Check a document and store it as the workflow's new, active version.

    Args:
        database: The store.
        tenant_id: Whose workflow it is.
        document: The document.
        catalogue: The node types.
        published_by: Who publishes it.
        with_missing_nodes: Whether its author wants it published although runs stop at some of its nodes.

    Raises:
        InvalidDefinitionError: The document has errors, or nodes of missing types; nothing was stored.
    """
    with database.tenant(tenant_id) as session:
        examination = examine(document, catalogue, lambda *wanted: _published(session, *wanted))
    plan = examination.plan
    problems = examination.problems if with_missing_nodes else refused(examination.problems)
    failed = any(problem.severity == "error" for problem in problems)
    if plan is None or examination.workflow is None or failed:
        raise InvalidDefinitionError(problems)
    tenants.check_id(tenant_id)
    rows = trigger_rows(examination.workflow, plan, catalogue)
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    with database.tenant(tenant_id) as session:
        return workflows.publish(
            session,
            tenant_id,
            plan.workflow_id,
            name=plan.name,
            document=document,
            definition_hash=plan.definition_hash,
            triggers=rows,
            published_by=published_by,
        )


def trigger_rows(workflow: Workflow, plan: Plan, catalogue: Catalogue) -> list[TriggerRow]:
    """The triggers of a workflow as the dispatcher matches them."""
    policy = workflow.settings.start.model_dump(exclude_defaults=True)
    return [_trigger_row(node, catalogue, policy) for node in plan.triggers]


def _trigger_row(node: PlanNode, catalogue: Catalogue, policy: Mapping[str, Any]) -> TriggerRow:
    node_type = catalogue.get(node.type)
    watch = node_type.watch(node.config) if node_type else None
    if watch is None:
        return TriggerRow(node.id, node.type, node.config, policy=policy)
    return TriggerRow(node.id, node.type, node.config, watch.kinds, watch.topics, policy, watch.existing)


def _published(session: Session, workflow_id: str, version: int | None) -> Workflow | None:
    """A workflow as others find it when they call it; None where they would find none."""
    try:
        row = workflows.get_version(session, workflow_id, version)
    except NotFoundError:
        return None
    return read(row.document).workflow if row.active else None
