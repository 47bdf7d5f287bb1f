"""Plans of published versions, which never change: each is compiled once per process."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy.orm import Session

from dag_factory.examine import plan_of_published
from dag_factory.plan import Plan
from dag_factory.reading import read
from oneo.store.models import Execution, WorkflowVersion
from oneo_operators.catalogue import catalogue

_MOST = 500


def plan_of(session: Session, row: Execution | WorkflowVersion) -> Plan:
    """The plan of a version, or of the one an execution runs.

    Raises:
        Exception: The definition cannot be read any more, say because a node type was uninstalled.
    """
    key = (row.tenant_id, row.workflow_id, row.version)
    found = _plans().get(key)
    if found is None:
        found = plan_of_published(session.get_one(WorkflowVersion, key).document, catalogue())
        if len(_plans()) >= _MOST:
            _plans().clear()
        _plans()[key] = found
    return found


def error_workflow_of(session: Session, row: Execution) -> str | None:
    """What the definition says about an error workflow, where it can be read at all (system session)."""
    version = session.get(WorkflowVersion, (row.tenant_id, row.workflow_id, row.version))
    workflow = read(version.document).workflow if version is not None else None
    return workflow.settings.error_workflow if workflow is not None else None


@lru_cache(maxsize=1)
def _plans() -> dict[tuple[str, str, int], Plan]:
    return {}
