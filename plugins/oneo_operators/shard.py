"""What a shard file of the bundle calls: the DAGs of its workflows, each on its own feet."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from airflow.sdk import get_parsing_context

from dag_factory.bundle import shard_of
from dag_factory.examine import plan_of_published
from dag_factory.render import Edition, render
from oneo.database import database
from oneo.store import revisions, workflows
from oneo.store.revisions import Stored
from oneo_operators.catalogue import catalogue

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

    from oneo.store.models import WorkflowVersion

logger = logging.getLogger(__name__)


def dags(*, shard: int, revision: int) -> dict[str, DAG]:
    """The shard's DAGs by id, as of a revision of the store.

    A task needs one DAG only: Airflow says which, and no other is built. A definition that cannot be rendered
    never takes its neighbours down: its last good version stands in, and the reason is kept with the workflow.
    """
    parsing = get_parsing_context()
    wanted = parsing.dag_id
    found: dict[str, DAG] = {}
    with _reading(wanted) as session:
        for stored in revisions.at_revision(session, revision, wanted):
            dag_id = workflows.dag_id(stored.row.tenant_id, stored.row.workflow_id)
            if shard_of(dag_id) != shard:
                continue
            # A task of a node needs no other task; gates never reach a worker.
            only = parsing.task_id if parsing.task_id and "." not in parsing.task_id else None
            dag = _newest_good(session, stored, only, note_errors=wanted is None)
            if dag is not None:
                found[dag_id] = dag
    return found


def _reading(dag_id: str | None) -> AbstractContextManager[Session]:
    """A session for the shard; a task reads as its tenant, on the connection it goes on to work with."""
    return database().system() if dag_id is None else database().tenant(dag_id.partition("--")[0])


def _newest_good(session: Session, stored: Stored, only: str | None, *, note_errors: bool) -> DAG | None:
    newest = stored.row
    try:
        dag = _render(newest, stored, None, only)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        logger.exception("workflow %s/%s cannot be rendered", newest.tenant_id, newest.workflow_id)
    else:
        if note_errors:
            workflows.note_render_error(session, newest, None)
        return dag
    if note_errors:
        workflows.note_render_error(session, newest, reason)
    for row in revisions.earlier_versions(session, newest):
        note = f"Version {newest.version} cannot be rendered: {reason}. Version {row.version} runs instead."
        try:
            return _render(row, stored, note, only)
        except Exception:
            logger.exception("nor can version %s", row.version)
    return None


def _render(row: WorkflowVersion, stored: Stored, note: str | None, only: str | None) -> DAG:
    plan = plan_of_published(row.document, catalogue(), only=only)
    edition = Edition(row.tenant_id, row.version, stored.first_published, row.document, note, stored.pool)
    return render(plan, edition, catalogue(), only=only)
