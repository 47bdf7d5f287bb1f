"""Publishing from a command: store the version, then wait until Airflow runs it."""

from __future__ import annotations

import time
from typing import Any

from dag_factory.publish import publish
from dag_factory.reading import read
from oneo.database import Database
from oneo.errors import UserError
from oneo.store import workflows
from oneo_operators.catalogue import catalogue
from oneo_operators.plans import plan_of


def as_fused(document: Any) -> Any:
    """The same definition in the canonical dialect, to be run in one task; one that cannot be read as it is."""
    canonical = read(document).converted.document
    settings = canonical.get("settings", {})
    if not canonical or not isinstance(settings, dict):
        return document
    return {**canonical, "settings": {**settings, "granularity": "fused"}}


def check_fused(found: Database, tenant_id: str, workflow_id: str) -> None:
    """Nothing, where a published workflow runs in one task.

    Raises:
        NotFoundError: There is no such workflow.
        UserError: It has a task for each node.
    """
    with found.tenant(tenant_id) as session:
        plan = plan_of(session, workflows.get_version(session, workflow_id))
    if plan.granularity != "fused":
        raise UserError(
            f"workflow {workflow_id!r} is published with a task for each node",
            hint='give its file to run with --fused, or publish it with "settings": {"granularity": "fused"}',
        )


def publish_and_wait(
    found: Database,
    tenant_id: str,
    document: Any,
    *,
    timeout_seconds: float,
    published_by: str | None = None,
    with_missing_nodes: bool = False,
) -> dict[str, Any]:
    """Publish a document; `live` says whether Airflow took the version up in time.

    Raises:
        InvalidDefinitionError: The document has errors, or nodes of missing types; nothing was stored.
    """
    with found.listen("oneo_work") as connection:
        done = publish(
            found,
            tenant_id,
            document,
            catalogue(),
            published_by=published_by,
            with_missing_nodes=with_missing_nodes,
        )
        end = time.monotonic() + timeout_seconds
        live, problem = False, None
        while True:
            with found.tenant(tenant_id) as session:
                row = workflows.get(session, done.workflow_id)
                live = (row.live_version or 0) >= done.version
                problem = row.render_error
            if live or problem or time.monotonic() > end:
                break
            for _ in connection.notifies(timeout=0.2, stop_after=1):
                pass
    return {
        "workflow": done.workflow_id,
        "version": done.version,
        "dag_id": workflows.dag_id(tenant_id, done.workflow_id),
        "live": live,
        "problem": problem,
    }
