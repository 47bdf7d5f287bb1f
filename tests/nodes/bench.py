"""A tenant's CRM at hand: pipelines, records, and workflows that really run on them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.engine import URL

from dag_factory.examine import examine, plan_of
from dag_factory.plan import Plan
from oneo.database import Database
from oneo.errors import NodeError
from oneo.store import executions, log, notifications, pipelines, records, tasks, workflows
from oneo.store.pipelines import PipelineSpec
from oneo_app.report import execution_report
from oneo_operators.attempt import NodeAttempt, Outcome
from oneo_operators.catalogue import NodeCatalogue, catalogue
from oneo_operators.completion import complete
from oneo_operators.execution import ExecutionState, Start, begin
from oneo_operators.flow_runner import FlowEnd
from oneo_operators.runner import PlanRunner
from oneo_operators.services import Connection

EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "node_examples.json").read_text()
)
START: dict[str, Any] = {"id": "start", "type": "trigger_manual"}


class TestVault:
    """Secrets and connections by full name."""

    __test__ = False

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.secrets: dict[str, str] = {}
        self.connections: dict[str, Connection] = {}
        self.databases: dict[str, URL] = {}

    def keep(self, name: str, value: str, owner: str | None = None) -> None:
        self.secrets[f"oneo__{owner or self.tenant}__{name}"] = value

    def connect(self, name: str, owner: str | None = None, **fields: Any) -> None:
        key = f"oneo__{owner or self.tenant}__{name}"
        self.connections[key] = Connection(id=name, **{"kind": "http", **fields})

    def secret(self, key: str) -> str | None:
        return self.secrets.get(key)

    def connection(self, conn_id: str) -> Connection | None:
        return self.connections.get(conn_id)

    def database_url(self, conn_id: str) -> URL | None:
        return self.databases.get(conn_id)

    def connect_database(self, name: str, url: URL, owner: str | None = None) -> None:
        self.databases[f"oneo__{owner or self.tenant}__{name}"] = url


class Bench:
    """Runs nodes and workflows for one tenant, on the real store."""

    def __init__(self, database: Database, tenant: str) -> None:
        self.database = database
        self.tenant = tenant
        self.vault = TestVault(tenant)
        self.catalogue: NodeCatalogue = catalogue()
        self._starts: dict[UUID, Start] = {}

    def pipeline(self, name: str, *fields: dict[str, Any], **more: Any) -> None:
        spec = PipelineSpec.model_validate({"id": name, "fields": fields, **more})
        with self.database.tenant(self.tenant) as session:
            pipelines.apply(session, self.tenant, spec)

    def record(self, pipeline: str, **data: Any) -> str:
        with self.database.tenant(self.tenant) as session:
            return str(records.create(session, self.tenant, pipeline, data).id)

    def get(self, record_id: str) -> dict[str, Any] | None:
        with self.database.tenant(self.tenant) as session:
            row = records.find_one(session, record_id)
            return records.view(row) if row is not None else None

    def all(self, pipeline: str, **filters: Any) -> list[dict[str, Any]]:
        with self.database.tenant(self.tenant) as session:
            return [records.view(row) for row in records.find(session, pipeline, filters, limit=1000)]

    def tasks_of(self, record_id: str) -> list[dict[str, Any]]:
        with self.database.tenant(self.tenant) as session:
            return [tasks.view(task) for task in tasks.of_record(session, UUID(record_id))]

    def notifications_of(self, execution: str) -> list[Any]:
        with self.database.tenant(self.tenant) as session:
            return notifications.of_execution(session, UUID(execution))

    def rows(self, execution: Any) -> list[Any]:
        with self.database.tenant(self.tenant) as session:
            return log.of_execution(session, UUID(str(execution)))

    def attempts(self, state: ExecutionState, node_id: str) -> list[Any]:
        """The log rows of one node."""
        return [row for row in self.rows(state.id) if row.node_id == node_id]

    def problems(self, type_name: str, config: Mapping[str, Any]) -> list[str]:
        """What the author is told when saving a workflow with this node."""
        node = {"id": "node", "type": type_name, "config": dict(config)}
        nodes = [node] if type_name.startswith("trigger_") else [START, node]
        return [str(problem) for problem in examine({"name": "w", "nodes": nodes}, self.catalogue).problems]

    def begin(
        self,
        document: Mapping[str, Any] | Plan,
        data: Mapping[str, Any] | None = None,
        trigger: str = "start",
    ) -> ExecutionState:
        plan = document if isinstance(document, Plan) else plan_of(document, self.catalogue)
        execution_id = uuid4()
        with self.database.tenant(self.tenant) as session:
            version = workflows.ensure_known(session, self.tenant, plan.workflow_id, plan.name)
            start = Start(
                tenant_id=self.tenant,
                execution_id=execution_id,
                version=version,
                dag_id=workflows.dag_id(self.tenant, plan.workflow_id),
                run_id=f"local__{execution_id}",
                trigger_node=trigger,
                trigger_type="trigger_manual",
                data=data or {},
            )
            self._starts[execution_id] = start
            return begin(session, plan, start)

    def run(
        self,
        document: Mapping[str, Any] | Plan,
        data: Mapping[str, Any] | None = None,
        trigger: str = "start",
    ) -> dict[str, Any]:
        """Run a workflow to its end; the report as commands print it."""
        state = self.begin(document, data, trigger)
        return self.finish(state)

    def finish(self, state: ExecutionState) -> dict[str, Any]:
        while (end := self.go_on(state)).until is not None:
            time.sleep(max(0.0, (end.until - datetime.now(UTC)).total_seconds()))
            state = self.again(state)
        return self.complete(state, end.status)

    def go_on(self, state: ExecutionState) -> FlowEnd:
        """Run an execution to its end, or as far as it goes before it waits."""
        runner = PlanRunner(state.plan, state, self.catalogue, self.database, self.vault)
        return asyncio.run(runner.run())

    def again(self, state: ExecutionState) -> ExecutionState:
        """The execution as another process finds it."""
        with self.database.tenant(self.tenant) as session:
            return begin(session, state.plan, self._starts[state.id])

    def complete(self, state: ExecutionState, status: str) -> dict[str, Any]:
        """End the execution; the report as commands print it."""
        with self.database.system() as session:
            row = executions.get_for_update(session, self.tenant, state.id)
            complete(session, row, state.plan, status)
        with self.database.tenant(self.tenant) as session:
            return execution_report(session, executions.get(session, state.id))

    def node(
        self, type_name: str, config: Mapping[str, Any], data: Mapping[str, Any] | None = None, **more: Any
    ) -> Ran:
        """Run one node behind a manual trigger; no retries, unless `more` says otherwise."""
        node = {"id": "node", "type": type_name, "config": dict(config)}
        node["error_handling"] = more.pop("error_handling", {"retry_count": 0})
        extra = more.pop("nodes", [])
        report = self.run({"name": "w", "nodes": [START, *extra, node], **more}, data)
        return Ran(report)

    def attempt(self, state: ExecutionState, node_id: str, *, retries: bool = False) -> Outcome:
        return asyncio.run(self.attempt_of(state, node_id).run(may_retry=lambda error: may(error, retries)))

    def attempt_of(self, state: ExecutionState, node_id: str) -> NodeAttempt:
        node = state.plan.by_id[node_id]
        operator_type = self.catalogue.get(node.type)
        assert operator_type is not None
        operator = operator_type(task_id=node.id, config=node.config)
        return NodeAttempt(operator, node, state, self.database, self.vault)


def may(error: NodeError, retries: bool) -> bool:
    return retries and error.retryable


class Ran:
    """How the node of `Bench.node` did."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        self.execution: str = report["execution"]
        self.node: dict[str, Any] = report["nodes"]["node"]

    @property
    def output(self) -> Any:
        assert self.node["status"] == "success", self.node["error"]
        return self.node["output"]

    @property
    def error(self) -> dict[str, Any]:
        assert self.node["status"] == "failed", self.node
        found: dict[str, Any] = self.node["error"]
        return found

    @property
    def message(self) -> str:
        """Message and hint, as a person reads them."""
        return f"{self.error['message']} ({self.error['hint']})"


def workflow(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow of the given nodes behind a manual trigger."""
    return {"name": "w", "nodes": [START, *nodes], **more}


# One node of each kind that changes something.
MAKE = {
    "id": "make",
    "type": "create_record",
    "config": {"pipeline_id": "deals", "record_data": {"at": "{{now}}", "lucky": "{{uuid()}}"}},
}
COUNT = {
    "id": "count",
    "type": "update_record",
    "config": {"record_id": "{{trigger.id}}", "increment_fields": {"n": 1}},
}
TELL = {"id": "tell", "type": "task_notify", "config": {"recipients": ["eva"], "title": "x", "message": "y"}}
REMIND = {"id": "remind", "type": "create_follow_up_task", "config": {"title": "Call"}}
RESOLVE = {"id": "who", "type": "resolve_contact", "config": {"match_criteria": {"email": "a@b.de"}}}
