"""Node types in a hand-written DAG: options are plain arguments, templates work as in workflows.

Expressions see the run's params as `variables` and `trigger`; the tenant is `ONEO_TENANT`. Such a DAG keeps no
execution and no log rows: it is an ordinary DAG that uses two of our operators. It runs when somebody starts it.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from oneo_operators.nodes.data.create_record import CreateRecordOperator
from oneo_operators.nodes.utility.task_notify import TaskNotifyOperator

with DAG(
    "example_hand_written",
    schedule=None,
    catchup=False,
    tags=["oneo", "example"],
    doc_md=__doc__,
    params={
        "name": Param("Ann Example", type="string"),
        "email": Param("ann@example.com", type="string"),
        "tell": Param("sales@example.com", type="string"),
    },
):
    contact = CreateRecordOperator(
        task_id="contact",
        pipeline_id="contacts",
        record_data={"name": "{{ variables.name }}", "email": "{{ variables.email | lower }}"},
        check_duplicates=True,
        duplicate_fields=["email"],
    )
    tell = TaskNotifyOperator(
        task_id="tell",
        recipients=["{{ variables.tell }}"],
        title="New contact",
        message="{{ variables.name }} is in the CRM.",
    )
    contact >> tell
