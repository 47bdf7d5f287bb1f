"""Publishing from a command: store the version, then wait until Airflow runs it."""

from __future__ import annotations

import time
from typing import Any

from dag_factory.publish import publish
from oneo.database import Database
from oneo.store import workflows
from oneo_operators.catalogue import catalogue


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
