"""A hand-written DAG that waits for what happens in the CRM: a record, then an event about it.

Neither task occupies a worker while it waits. The tenant is `ONEO_TENANT`. It runs when somebody starts it; then create
a record in the pipeline `deals` with the stage `won`, and emit `deal_signed`, e.g. `oneo events emit deal_signed`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from oneo_operators.nodes.utility.task_notify import TaskNotifyOperator
from oneo_operators.sensors.event import EventSensor
from oneo_operators.sensors.record_event import RecordEventSensor

with DAG("example_sensors", schedule=None, catchup=False, tags=["oneo", "example"], doc_md=__doc__):
    won = RecordEventSensor(
        task_id="won",
        pipeline="deals",
        kinds=["created", "updated"],
        filters={"stage": "won"},
        timeout=timedelta(days=7),
    )
    signed = EventSensor(task_id="signed", name="deal_signed", timeout=timedelta(days=30), soft_fail=True)
    tell = TaskNotifyOperator(
        task_id="tell",
        recipients=["sales@example.com"],
        title="A deal is signed",
        message="It was won, and the signature is there.",
    )
    won >> signed >> tell
