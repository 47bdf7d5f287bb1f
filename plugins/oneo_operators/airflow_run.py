"""A DAG run as an execution: who started it with what, and its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from dag_factory.variables import CONFIRMED
from oneo.database import database
from oneo.errors import NodeError, NotFoundError, PermanentNodeError
from oneo.store import executions
from oneo.store.families import Origin
from oneo.store.workflows import dag_id
from oneo_operators.admission import admit, starter_of
from oneo_operators.attempt_rows import is_race
from oneo_operators.catalogue import catalogue
from oneo_operators.execution import ExecutionState, Start, begin

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy.orm import Session

    from dag_factory.binding import Published

T = TypeVar("T")

# The dispatcher names the execution it starts in the run's conf; runs without it were started by Airflow.
EXECUTION_KEY = "oneo_execution"
_LEAVE_OUT = f"start the workflow without `{EXECUTION_KEY}`"


def begun(published: Published, context: Context, also: Callable[[Session, ExecutionState], T]) -> T:
    """Begin the run's execution where no other task has, and do more in the same transaction.

    Args:
        published: The workflow.
        context: Airflow's, of one of the run's tasks.
        also: Is called with the transaction and the execution; called again where another process was faster.

    Raises:
        NodeError: The person who started the run may not do that, or the run claims an execution that was not
            queued for it.
    """
    start = _start(published, context)
    while True:
        try:
            with database().tenant(published.tenant_id, durable=False) as session:
                state = begin(session, published.plan, start)
                if start.refused is None:
                    return also(session, state)
        except NotFoundError as error:
            raise PermanentNodeError(error.message, _LEAVE_OUT) from error
        except IntegrityError as error:
            if not is_race(error):
                raise
        else:
            # Its row says why, too.
            raise start.refused


def _start(published: Published, context: Context) -> Start:
    dag_run: Any = context["dag_run"]
    conf = dag_run.conf or {}
    this_dag = dag_id(published.tenant_id, published.plan.workflow_id)
    given = conf.get(EXECUTION_KEY)
    try:
        execution_id = UUID(given) if given else executions.id_for_run(this_dag, dag_run.run_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise PermanentNodeError(f"{EXECUTION_KEY}: {given!r} is no execution id", _LEAVE_OUT) from error
    scheduled = getattr(dag_run.run_type, "value", dag_run.run_type) == "scheduled"
    wanted = "trigger_scheduled" if scheduled else "trigger_manual"
    triggers = published.plan.triggers
    trigger = next((one for one in triggers if one.type == wanted), triggers[0] if triggers else None)
    params = context["params"]
    data = {name: value for name, value in params.items() if name not in (EXECUTION_KEY, CONFIRMED)}
    if scheduled:
        moment = dag_run.logical_date or dag_run.run_after
        data["scheduled_for"] = moment.isoformat() if moment else None
    return Start(
        tenant_id=published.tenant_id,
        execution_id=execution_id,
        version=published.version,
        dag_id=this_dag,
        run_id=dag_run.run_id,
        trigger_node=trigger.id if trigger else None,
        trigger_type=wanted,
        data=data,
        # The dispatcher starts runs in its own name; on whose behalf is known since they were queued.
        origin=Origin(None if scheduled or given else dag_run.triggering_user_name),
        queued=given is not None,
        # What the dispatcher starts was admitted when it was queued.
        refused=None if scheduled or given else _refusal(published, dag_run, params),
    )


def _refusal(published: Published, dag_run: Any, params: Mapping[str, Any]) -> NodeError | None:
    """Why the person who started the run may not do that."""
    starter = starter_of(dag_run.triggering_user_name, confirmed=params.get(CONFIRMED) is True)
    try:
        admit(published.plan, catalogue(), starter)
    except NodeError as error:
        return error
    return None
