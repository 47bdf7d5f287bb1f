"""What the dispatcher gives a DAG run along."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk.definitions.param import process_params

from dag_factory.examine import plan_of
from dag_factory.publish import publish
from dag_factory.render import Edition, render
from oneo.store import executions, workflows
from oneo_app.dispatcher.starting import _conf
from oneo_operators.catalogue import catalogue


def test_a_question_that_was_answered_when_the_execution_was_queued_is_not_asked_again(database, tenant):
    document = {
        "id": "asks",
        "name": "Asks",
        "variables": {"who": {"type": "string"}},
        "nodes": [
            {"id": "start", "type": "trigger_manual", "config": {"require_confirmation": True}},
            {"id": "set", "type": "set_variable", "config": {"variables": {"done": True}}},
        ],
    }
    publish(database, tenant, document, catalogue())
    dag_id = workflows.dag_id(tenant, "asks")
    with database.tenant(tenant) as session:
        execution_id = executions.enqueue(
            session,
            tenant,
            "asks",
            version=1,
            trigger_node="start",
            trigger_type="trigger_manual",
            data={"who": "Ada"},
            dag_id=dag_id,
        )
    with database.system() as session:
        conf = _conf(session, executions.get_for_update(session, tenant, execution_id))
    dag = render(plan_of(document, catalogue()), Edition(tenant, 1, datetime.now(UTC), document), catalogue())
    params = process_params(dag, dag.get_task("set"), conf, suppress_exception=False)
    assert params["who"] == "Ada"
