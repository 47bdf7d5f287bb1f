"""One task that does nothing, run at each start of the local stack.

The first task after a start takes seconds, since Airflow loads the API that tasks report to on first use. Better
now than when the first record arrives. It also proves that a task gets through every part of the stack.
"""

from __future__ import annotations

from airflow.sdk import DAG, task

with DAG("oneo_warmup", schedule=None, catchup=False, tags=["oneo", "internal"], doc_md=__doc__):

    @task
    def warm_up() -> None:
        """Do nothing: not an EmptyOperator, which never reaches a worker."""

    warm_up()
