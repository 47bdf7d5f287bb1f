"""A hand-written DAG that asks people, waits for what they decide and goes on where they approve.

The task that asks occupies no worker while it waits. The tenant is `ONEO_TENANT`. It runs when somebody starts it; then
`oneo approvals list` shows what is asked, and `oneo approvals decide ID approve` decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from oneo_operators.nodes.utility.task_notify import TaskNotifyOperator
from oneo_operators.sensors.approval import ApprovalSensor

with DAG(
    "example_approval",
    schedule=None,
    catchup=False,
    tags=["oneo", "example"],
    doc_md=__doc__,
    params={"customer": Param("Ann Example", type="string"), "percent": Param(20, type="integer")},
):
    ask = ApprovalSensor(
        task_id="ask",
        title="{{ variables.percent }} % for {{ variables.customer }}?",
        assignees=["role:admin"],
        timeout=timedelta(days=2),
        default="reject",
    )

    @task.short_circuit
    def approved(answer: dict[str, Any]) -> bool:
        """Nobody is told where it was rejected."""
        return answer["decision"] == "approve"

    tell = TaskNotifyOperator(
        task_id="tell",
        recipients=["sales@example.com"],
        title="Approved",
        message="{{ variables.percent }} % for {{ variables.customer }}.",
    )
    approved(ask.output) >> tell
