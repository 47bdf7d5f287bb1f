"""A whole workflow in one task: a tenth of the latency, and one square in Airflow's grid."""

from __future__ import annotations

import asyncio
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

# The dot keeps it apart from every node's id.
TASK_ID = "workflow.run"
# The nodes' own retries happen inside; these are for a process that was killed.
_RETRY = Retry()


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

        Raises:
            PermanentNodeError: A node failed and nothing in the workflow handles it, or it took too long.
        """
        from oneo.database import database  # noqa: PLC0415 - the store is needed in tasks only
        from oneo.objects import shortened  # noqa: PLC0415
        from oneo_operators.airflow_run import begun  # noqa: PLC0415
        from oneo_operators.airflow_vault import AirflowVault  # noqa: PLC0415
        from oneo_operators.catalogue import catalogue  # noqa: PLC0415
        from oneo_operators.runner import PlanRunner  # noqa: PLC0415
        from oneo_operators.xcom import wrap  # noqa: PLC0415

        state = begun(self.published, context, lambda _, state: state)
        runner = PlanRunner(self.published.plan, state, catalogue(), database(), AirflowVault())
        end = asyncio.run(runner.run())
        if end.timed_out:
            minutes = self.published.plan.timeout_minutes
            raise PermanentNodeError(
                f"the workflow was not done after {minutes} minutes", "raise timeout_minutes"
            )
        if end.failure is not None:
            raise PermanentNodeError(
                f"node {end.failure.node!r}: {end.failure.error.message}", end.failure.error.hint
            )
        return wrap(shortened(end.output))
