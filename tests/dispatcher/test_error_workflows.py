"""A failed execution starts its error workflow once, whatever ended it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from dag_factory.examine import plan_of
from dag_factory.publish import publish
from oneo.store import dag_runs, executions, log, pipelines, records, tenants, workflows
from oneo.store.log import NodeKey
from oneo.store.models import Execution
from oneo.store.pipelines import PipelineSpec
from oneo_app.dispatcher.finishing import finish_ended
from oneo_operators.catalogue import catalogue
from oneo_operators.execution import Start, begin

BOOM = {"type": "ConfigError", "message": "boom", "hint": "none", "node": "tell", "attempt": 1}


class Shop:
    """A tenant with workflows, whose DAG runs end as the test says."""

    def __init__(self, database: Any, tenant: str) -> None:
        self.database = database
        self.tenant = tenant

    def publish(self, workflow_id: str, **more: Any) -> None:
        publish(self.database, self.tenant, document(workflow_id, **more), catalogue())

    def start(self, workflow_id: str, trigger_type: str = "trigger_manual", **data: Any) -> UUID:
        """An execution at work on Airflow."""
        with self.database.tenant(self.tenant) as session:
            version = workflows.get_version(session, workflow_id)
            execution_id = uuid4()
            start = Start(
                tenant_id=self.tenant,
                execution_id=execution_id,
                version=version.version,
                dag_id=workflows.dag_id(self.tenant, workflow_id),
                run_id=executions.run_id_for(execution_id),
                trigger_node="start",
                trigger_type=trigger_type,
                data=data,
            )
            begin(session, plan_of(document(workflow_id), catalogue()), start)
        return execution_id

    def fail_node(self, execution_id: UUID) -> None:
        key = NodeKey(self.tenant, execution_id, "tell")
        with self.database.tenant(self.tenant) as session:
            log.start_attempt(session, key, "task_notify")
            log.end_attempt(session, key, 1, "failed", error=BOOM)

    def end(self, execution_id: UUID, state: str = "failed") -> Execution:
        """Airflow tells that the DAG run has ended; the execution as it is then."""
        row = self.get(execution_id)
        with self.database.system() as session:
            dag_runs.note_run_state(session, row.dag_id, row.run_id, state)
        finish_ended(self.database)
        return self.get(execution_id)

    def get(self, execution_id: UUID) -> Execution:
        with self.database.tenant(self.tenant) as session:
            return executions.get(session, execution_id)

    def queued(self) -> list[Execution]:
        with self.database.tenant(self.tenant) as session:
            return executions.recent(session, status="pending")

    def set_default(self, workflow_id: str | None) -> None:
        with self.database.system() as session:
            tenants.set_setting(session, self.tenant, "error_workflow", workflow_id)


@pytest.fixture
def shop(database: Any, tenant: str) -> Shop:
    """A tenant with the error workflow `rescue`."""
    found = Shop(database, tenant)
    found.publish("rescue")
    return found


def document(workflow_id: str, **more: Any) -> dict[str, Any]:
    tell = {"recipients": ["desk@example.com"], "title": "t", "message": ""}
    return {
        "id": workflow_id,
        "name": workflow_id.title(),
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "tell", "type": "task_notify", "config": tell},
        ],
        **more,
    }


def using(error_workflow: str) -> dict[str, Any]:
    return {"settings": {"error_workflow": error_workflow}}


def test_it_is_told_what_failed_where_and_for_what(shop: Shop) -> None:
    shop.publish("work", **using("rescue"))
    with shop.database.tenant(shop.tenant) as session:
        pipelines.apply(session, shop.tenant, PipelineSpec(id="leads"))
        record = str(records.create(session, shop.tenant, "leads", {"name": "Ada"}).id)
    failed = shop.start("work", record_id=record)
    shop.fail_node(failed)
    ended = shop.end(failed)
    (follows,) = shop.queued()
    assert (follows.workflow_id, follows.trigger_type, follows.trigger_node) == ("rescue", "error", "start")
    assert ended.ended_at is not None
    told = follows.data
    assert (told["error"], told["failed_node"], told["record_id"]) == (BOOM, "tell", record)
    assert told["trigger_data"]["name"] == "Ada"
    assert told["execution"] == {
        "id": str(failed),
        "workflow_id": "work",
        "workflow_name": "Work",
        "version": 1,
        "url": f"http://localhost:8080/dags/{ended.dag_id}/runs/{ended.run_id}",
        "started_at": ended.started_at.isoformat(),
        "ended_at": ended.ended_at.isoformat(),
        "trigger_type": "trigger_manual",
    }


@pytest.mark.parametrize("state", ["failed", "timed_out", "missing"])
def test_it_follows_whatever_ended_the_run(shop: Shop, state: str) -> None:
    shop.publish("work", **using("rescue"))
    assert shop.end(shop.start("work"), state).status == "failed"
    assert [row.workflow_id for row in shop.queued()] == ["rescue"]


def test_it_follows_where_the_definition_cannot_be_read_any_more(shop: Shop) -> None:
    gone = [{"id": "start", "type": "trigger_manual"}, {"id": "gone", "type": "uninstalled_type"}]
    with shop.database.tenant(shop.tenant) as session:
        workflows.publish(
            session,
            shop.tenant,
            "work",
            name="Work",
            document=document("work", **{**using("rescue"), "nodes": gone}),
            definition_hash="0",
            triggers=[],
        )
    ended = shop.end(shop.start("work"))
    assert "cannot be read" in ended.error["message"]
    assert [row.workflow_id for row in shop.queued()] == ["rescue"]


def test_an_execution_that_fails_again_starts_no_second(shop: Shop) -> None:
    shop.publish("work", **using("rescue"))
    failed = shop.start("work")
    shop.end(failed)
    with shop.database.system() as session:
        executions.get_for_update(session, shop.tenant, failed).status = "running"
    shop.end(failed)
    assert len(shop.queued()) == 1


def test_a_success_starts_none(shop: Shop) -> None:
    shop.publish("work", **using("rescue"))
    assert shop.end(shop.start("work"), "success").status == "success"
    assert shop.queued() == []


def test_a_failed_error_workflow_starts_none(shop: Shop) -> None:
    shop.publish("other")
    shop.publish("rescue", **using("other"))
    shop.end(shop.start("rescue", trigger_type="error"))
    assert shop.queued() == []


@pytest.mark.parametrize(
    ("own", "expected"), [({}, ["rescue"]), (using("other"), ["other"]), (using("none"), [])]
)
def test_what_the_workflow_says_weighs_more_than_the_tenants_setting(
    shop: Shop, own: dict[str, Any], expected: list[str]
) -> None:
    shop.set_default("rescue")
    shop.publish("other")
    shop.publish("work", **own)
    shop.end(shop.start("work"))
    assert [row.workflow_id for row in shop.queued()] == expected


def test_a_tenants_error_workflow_does_not_follow_itself(shop: Shop) -> None:
    shop.set_default("rescue")
    shop.end(shop.start("rescue"))
    assert shop.queued() == []


def test_an_error_workflow_that_cannot_run_is_noted_and_breaks_nothing(shop: Shop, database: Any) -> None:
    other = Shop(database, f"t{uuid4().hex[:12]}")
    other.publish("elsewhere")
    shop.publish("gone")
    with shop.database.tenant(shop.tenant) as session:
        workflows.withdraw(session, shop.tenant, "gone")
        workflows.ensure_known(session, shop.tenant, "draft", "Draft")
    shop.publish("asks", variables={"who": {"type": "string", "required": True}})
    says = {
        "absent": "'absent' was never published",
        "elsewhere": "'elsewhere' was never published",
        "draft": "'draft' was never published",
        "gone": "'gone' was withdrawn",
        "asks": "requires variable 'who'",
    }
    for name, words in says.items():
        shop.publish("work", **using(name))
        failed = shop.start("work")
        shop.fail_node(failed)
        ended = shop.end(failed)
        assert (ended.status, ended.error["message"]) == ("failed", "boom")
        assert words in ended.error["error_workflow"]
    assert shop.queued() == []
