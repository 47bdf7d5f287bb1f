"""The yardstick of `make bench`: six tasks in a row that do nothing, as plain Airflow runs them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, BaseOperator, chain


class NoOperation(BaseOperator):
    """Does nothing, in a worker (an EmptyOperator would never reach one)."""

    def execute(self, context: Any) -> None:
        """Nothing."""


with DAG("oneo_benchmark_baseline", schedule=None, catchup=False, tags=["oneo", "benchmark"]):
    chain(*[NoOperation(task_id=f"step_{number}") for number in range(1, 7)])
