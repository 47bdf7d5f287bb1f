"""A node as a task of an Airflow DAG run: where its inputs come from and where its outcome goes."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow.sdk.exceptions import DownstreamTasksSkipped

from dag_factory.plan import PlanEdge, taken
from oneo import objects
from oneo.database import database
from oneo.errors import NodeError, OneoError
from oneo.expressions import Scope
from oneo.settings import settings
from oneo_operators.airflow_run import begun, start_of
from oneo_operators.airflow_vault import AirflowVault
from oneo_operators.attempt import NodeAttempt
from oneo_operators.catalogue import catalogue
from oneo_operators.context import NodeContext
from oneo_operators.execution import ExecutionState
from oneo_operators.failure import as_node_error, redacted
from oneo_operators.journal import Journal
from oneo_operators.outcome import Outcome
from oneo_operators.redact import redact
from oneo_operators.resolving import checked, evaluated
from oneo_operators.resting import rest
from oneo_operators.result import Wait
from oneo_operators.runner import ids_inside
from oneo_operators.runtime import Runtime
from oneo_operators.services import Secrets, Vault
from oneo_operators.xcom import pass_on, unwrap, wrap

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy.orm import Session

    from dag_factory.binding import Binding
    from oneo_operators.base import NodeOperator

logger = logging.getLogger(__name__)


async def run_bound(operator: NodeOperator, binding: Binding, context: Context) -> Any:
    """Run a workflow's node as a task; returns its output for XCom.

    Raises:
        NodeError: The attempt failed and nothing in the workflow handles it.
        DownstreamTasksSkipped: It succeeded, and some edges out of it are not taken.
        TaskDeferred: It waits for something.
    """
    task_instance: Any = context["ti"]
    state, attempt = _open(operator, binding, context)
    if binding.node.is_trigger:
        fired = binding.node.id == state.trigger_node
        # Nobody reads it from there: the execution has the data.
        shown = wrap(objects.shortened(state.data)) if fired else None
        return _leave(task_instance, shown, _skipped_by_trigger(binding, state))
    _fetch_outputs(task_instance, binding, state)

    def may_retry(error: NodeError) -> bool:
        return error.retryable and task_instance.try_number <= task_instance.max_tries

    outcome = await attempt.run(may_retry=may_retry)
    if outcome.until is not None:
        rest(operator, outcome.until)
    if outcome.error is not None and not outcome.routes:
        raise outcome.error
    value = pass_on(outcome.output, state.tenant_id, state.id, binding.node.id)
    return _leave(task_instance, value, _not_taken(binding, outcome))


def _open(operator: NodeOperator, binding: Binding, context: Context) -> tuple[ExecutionState, NodeAttempt]:
    """The execution and this attempt, their rows written in one transaction."""

    def attempt_in(session: Session, state: ExecutionState) -> tuple[ExecutionState, NodeAttempt]:
        attempt = _attempt(operator, binding, state)
        if not binding.node.is_trigger:
            attempt.open(session)
            if attempt.runtime is not None and attempt.repeats:
                attempt.runtime.journal.recall(
                    session, state.id, ids_inside(binding.node), failures=attempt.goes_on
                )
        return state, attempt

    return begun(binding, start_of(binding, context), attempt_in)


def _attempt(operator: NodeOperator, binding: Binding, state: ExecutionState) -> NodeAttempt:
    vault = AirflowVault()
    runtime = None
    if binding.node.body is not None:
        runtime = Runtime(catalogue(), database(), vault, Journal(database(), state.tenant_id))
    return NodeAttempt(operator, binding.node, state, database(), vault, runtime)


def _fetch_outputs(task_instance: Any, binding: Binding, state: ExecutionState) -> None:
    """Pull the outputs the node's expressions read, and no others."""
    for node_id in binding.node.reads:
        # Nodes inside loops are no tasks; their outputs come with what the loop left.
        if node_id in state.outputs or node_id not in binding.plan.by_id:
            continue
        value = task_instance.xcom_pull(task_ids=node_id, key="return_value")
        # A node that was skipped has no output: its name stays unknown, so that `default(…)` can catch it.
        if value is not None:
            state.outputs[node_id] = unwrap(value, state.tenant_id, state.id)


def _not_taken(binding: Binding, outcome: Outcome) -> list[str]:
    return [_task_of(edge) for edge in binding.edges_out if not taken(edge, outcome.routes)]


def _skipped_by_trigger(binding: Binding, state: ExecutionState) -> list[str]:
    """Of several triggers, those that did not fire lead nowhere."""
    if binding.node.id == state.trigger_node:
        return []
    return [_task_of(edge) for edge in binding.edges_out]


def _task_of(edge: PlanEdge) -> str:
    return edge.gate or edge.target


def _leave(task_instance: Any, value: Any, skipped: list[str]) -> Any:
    if not skipped:
        return value
    # Raising ends the task before Airflow would keep the returned value. The second key tells the scheduler, when
    # a task below is cleared, that it was skipped on purpose.
    task_instance.xcom_push(key="return_value", value=value)
    task_instance.xcom_push(key="skipmixin_key", value={"skipped": skipped})
    raise DownstreamTasksSkipped(tasks=skipped)


async def run_alone(operator: NodeOperator, context: Context, began: str | None = None) -> Any:
    """Run an operator that stands in a hand-written DAG: no execution, no log rows; returns its output.

    Expressions see the run's params as `trigger` and `variables`, and the tenant is the configured default.

    Args:
        operator: The operator.
        context: Airflow's.
        began: When it began, where it has waited since.

    Raises:
        NodeError: The node failed.
        TaskDeferred: It waits for something.
    """
    tenant_id = settings().tenant
    vault = AirflowVault()
    moment = begun_at(context)
    if operator.waits:
        moment = datetime.fromisoformat(began) if began else datetime.now(UTC)
    scope = scope_alone(context, operator.task_id, tenant_id, vault, moment)
    node_context = NodeContext(
        database,
        scope,
        tenant_id=tenant_id,
        execution_id=None,
        node_id=operator.task_id or str(uuid4()),
        vault=vault,
        now=moment,
    )
    try:
        values = evaluated(type(operator), operator.node_config, scope)
        config = checked(type(operator), values, scope.revealed)
        result = await operator.run(config, node_context)
        if isinstance(result, Wait):
            node_context.commit()
            rest(operator, result.until, began=moment.isoformat())
        output = wrap(redact(result.output, scope.revealed))
        node_context.commit()
    except Exception as error:
        node_context.rollback(error)
        failure = redacted(as_node_error(error), scope.revealed)
        if not isinstance(error, OneoError):
            trace = "".join(traceback.format_exception(error))
            logger.error("task %s failed:\n%s", operator.task_id, redact(trace, scope.revealed))
    except BaseException as error:
        node_context.rollback(error)
        raise
    else:
        return output
    # Not inside the handler: there the error would carry along its cause, secrets and all.
    raise failure


def begun_at(context: Context) -> datetime:
    """The moment that a run of a hand-written DAG stands for."""
    dag_run: Any = context["dag_run"]
    moment: datetime = dag_run.run_after or datetime.now(UTC)
    return moment


def scope_alone(context: Context, task_id: str, tenant_id: str, vault: Vault, now: datetime) -> Scope:
    """What expressions of a task in a hand-written DAG see: the run's params, and the tenant's secrets."""
    params = dict(context["params"])
    dag_run: Any = context["dag_run"]
    names = {
        "trigger": params,
        "variables": params,
        "context": {},
        "nodes": {},
        "secrets": Secrets(vault, tenant_id),
    }
    return Scope(names, now=now, seed=f"{dag_run.dag_id}/{dag_run.run_id}/{task_id}")
