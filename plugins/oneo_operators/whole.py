"""A whole workflow in one task: a tenth of the latency, and one square in Airflow's grid."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from dag_factory.catalogue import Retry
from oneo.errors import PermanentNodeError
from oneo_operators.retry import NodeRetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dag_factory.binding import Published
    from oneo_operators.execution import Start
    from oneo_operators.flow_runner import FlowEnd

logger = logging.getLogger(__name__)

# The dot keeps it apart from every node's id.
TASK_ID = "workflow.run"
# The nodes' own retries happen inside; these are for a process that was killed.
_RETRY = Retry()
# Of many failed executions, as many are named in the task's error; `oneo runs list` has them all.
_SHOWN = 5


class WholeOperator(BaseOperator):
    """Runs all nodes of a workflow; what a broken-off try did is not repeated.

    Args:
        published: The workflow.
        **kwargs: Arguments of Airflow's BaseOperator.
    """

    template_fields: Sequence[str] = ()
    ui_color = "#dbeafe"

    def __init__(self, *, published: Published, **kwargs: Any) -> None:
        super().__init__(
            task_id=TASK_ID,
            task_display_name=published.plan.name,
            # Triggers are no work: nothing to wait for.
            trigger_rule="always",
            retries=_RETRY.count,
            retry_delay=timedelta(seconds=_RETRY.delay_seconds),
            retry_policy=NodeRetryPolicy(_RETRY),
            **kwargs,
        )
        self.published = published

    def execute(self, context: Context) -> Any:
        """Airflow's entry; returns the output of the last node, or the beginning of a large one.

        A run that carries several executions gives none: they have their own outputs.

        Raises:
            PermanentNodeError: A node failed and nothing in the workflow handles it, or it took too long.
            TaskDeferred: Nothing is left to do until what its nodes wait for.
        """
        return self.resume(context)

    def resume(self, context: Context, event: Any = None) -> Any:
        """Airflow's entry after a wait: the log has what was done before it."""
        from oneo.objects import shortened  # noqa: PLC0415 - the store is needed in tasks only
        from oneo_operators.airflow_run import carried  # noqa: PLC0415
        from oneo_operators.resting import rest  # noqa: PLC0415
        from oneo_operators.xcom import wrap  # noqa: PLC0415

        run = carried(self.published, context)
        if run.shared:
            self._run_in_turn(run.left)
            return None
        for start in run.left:
            end = self._run(start)
            if end.until is not None:
                rest(self, end.until)
            problem = self._problem(end)
            if problem is not None:
                raise problem
            return wrap(shortened(end.output))
        return None

    def _run_in_turn(self, starts: Sequence[Start]) -> None:
        from oneo.database import database  # noqa: PLC0415
        from oneo.store import dag_runs, executions  # noqa: PLC0415
        from oneo_operators.resting import rest  # noqa: PLC0415

        waits = []
        for start in starts:
            with database().tenant(start.tenant_id) as session:
                cancelled = executions.get(session, start.execution_id).status == "cancelled"
            if cancelled:
                continue
            end = self._run(start)
            if end.until is not None:
                waits.append(end.until)
                continue
            logger.info("execution %s ended as %s", start.execution_id, end.status)
            # Nobody waits for the others: it ends now.
            with database().tenant(start.tenant_id) as session:
                dag_runs.note_end(session, start.tenant_id, start.execution_id, end.status)
        if waits:
            rest(self, min(waits))
        if not starts:
            return
        with database().tenant(starts[0].tenant_id) as session:
            # Also those that ended before the others waited, or before the task was killed.
            states = dag_runs.states_in(session, starts[0].dag_id, starts[0].run_id)
        failed = [str(one) for one, state in states.items() if state in ("failed", dag_runs.TIMED_OUT)]
        if failed:
            shown = ", ".join(failed[:_SHOWN]) + (", …" if len(failed) > _SHOWN else "")
            raise PermanentNodeError(
                f"{len(failed)} of {len(states)} executions failed: {shown}",
                "`oneo runs show` says why; clear the task to try these again, the others stay as they are",
            )

    def _run(self, start: Start) -> FlowEnd:
        from oneo.database import database  # noqa: PLC0415
        from oneo_operators.airflow_run import begun  # noqa: PLC0415
        from oneo_operators.airflow_vault import AirflowVault  # noqa: PLC0415
        from oneo_operators.catalogue import catalogue  # noqa: PLC0415
        from oneo_operators.runner import PlanRunner  # noqa: PLC0415

        state = begun(self.published, start, lambda _, state: state)
        runner = PlanRunner(self.published.plan, state, catalogue(), database(), AirflowVault())
        return asyncio.run(runner.run())

    def _problem(self, end: FlowEnd) -> PermanentNodeError | None:
        if end.timed_out:
            minutes = self.published.plan.timeout_minutes
            return PermanentNodeError(
                f"the workflow was not done after {minutes} minutes", "raise timeout_minutes"
            )
        if end.failure is not None:
            return PermanentNodeError(
                f"node {end.failure.node!r}: {end.failure.error.message}", end.failure.error.hint
            )
        return None
