"""A DAG run as an execution: who started it with what, and its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from dag_factory.variables import CONFIRMED
from oneo.database import database
from oneo.errors import NodeError, NotFoundError, PermanentNodeError
from oneo.store import dag_runs, executions
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


def begun(published: Published, start: Start, also: Callable[[Session, ExecutionState], T]) -> T:
    """Begin an execution where no other task has, and do more in the same transaction.

    Args:
        published: The workflow.
        start: The run's execution, see `start_of`.
        also: Is called with the transaction and the execution; called again where another process was faster.

    Raises:
        NodeError: The person who started the run may not do that, or the run claims an execution that was not
            queued for it.
    """
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


@dataclass(frozen=True)
class Carried:
    """What the run of a whole workflow carries.

    Attributes:
        left: The executions that have not ended.
        shared: Whether there are others, or were.
    """

    left: list[Start]
    shared: bool


def carried(published: Published, context: Context) -> Carried:
    """The executions of a run: one, or many at busy times.

    Raises:
        NodeError: The run claims an execution that cannot be.
    """
    start = start_of(published, context)
    with database().tenant(published.tenant_id) as session:
        if start.queued:
            dag_runs.await_start(session, start.execution_id)
        left = dag_runs.left_to_run(session, start.dag_id, start.run_id)
        shared = len(dag_runs.states_in(session, start.dag_id, start.run_id)) > 1
    return Carried([start] if left is None else [replace(start, execution_id=one) for one in left], shared)


def start_of(published: Published, context: Context) -> Start:
    """The run's execution; of a run that carries several, the one it was started for.

    Raises:
        NodeError: The run claims an execution that cannot be.
    """
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
