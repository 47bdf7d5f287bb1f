"""Starting executions by hand, waiting for them, and running them here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from dag_factory.catalogue import Question
from dag_factory.examine import plan_of
from dag_factory.plan import Plan
from dag_factory.variables import misfits
from oneo.database import Database
from oneo.errors import InfrastructureError, NodeError, UserError
from oneo.settings import settings
from oneo.store import executions, families, records, workflows
from oneo.store.families import Origin
from oneo_app.report import execution_report
from oneo_app.server_vault import local_vault
from oneo_operators.admission import admit, starter_of, trigger_by_hand
from oneo_operators.catalogue import catalogue
from oneo_operators.completion import complete
from oneo_operators.error_workflow import TRIGGER_TYPE, ErrorRun
from oneo_operators.execution import ExecutionState, Start, begin, with_record
from oneo_operators.plans import plan_of as published_plan
from oneo_operators.runner import PlanRunner

# Puts a trigger's question to whoever starts the workflow; True means yes.
Ask = Callable[[Question], bool]


@dataclass(frozen=True)
class Begun:
    """An execution that was asked for."""

    execution_id: UUID
    workflow_id: str
    version: int


def check_variables(plan: Plan, data: Mapping[str, Any]) -> None:
    """Nothing where the data gives every required variable, and each in its type.

    Raises:
        UserError: It does not; every reason is named.
    """
    problems = [message for _, message in misfits(plan.variables, data)]
    if problems:
        raise UserError("; ".join(problems), hint="give them with --data '{\"name\": value}'")


def _admitted(plan: Plan, ask: Ask) -> None:
    """Nothing where the user of the settings may start the workflow and has answered its trigger's question."""
    trigger = trigger_by_hand(plan)
    node_type = catalogue().get(trigger.type) if trigger else None
    question = node_type.question(trigger.config) if trigger and node_type else None
    starter = starter_of(settings().user, confirmed=question is not None and ask(question))
    try:
        admit(plan, catalogue(), starter)
    except NodeError as error:
        raise UserError(error.message, hint=error.hint) from error


def enqueue(
    found: Database, tenant_id: str, workflow_id: str, data: Mapping[str, Any], ask: Ask = lambda _: False
) -> Begun:
    """Queue an execution of a published workflow; the dispatcher starts it on Airflow.

    Raises:
        NotFoundError: No such workflow.
        UserError: The workflow was withdrawn, the data does not fit its variables, or this person may not start it.
    """
    with found.tenant(tenant_id) as session:
        workflow = workflows.get(session, workflow_id)
        if not workflow.active:
            raise UserError(f"workflow {workflow_id!r} is not active", hint="publish it first")
        plan = plan_of(workflows.get_version(session, workflow_id).document, catalogue())
        _admitted(plan, ask)
        check_variables(plan, data)
        node = trigger_by_hand(plan)
        full = dict(with_record(session, data))
        row = records.find_one(session, str(data["record_id"])) if "record_id" in data else None
        execution_id = executions.enqueue(
            session,
            tenant_id,
            workflow_id,
            version=workflow.version,
            trigger_node=node.id if node else None,
            trigger_type="trigger_manual",
            data=full,
            dag_id=workflows.dag_id(tenant_id, workflow_id),
            record_id=row.id if row is not None else None,
            origin=Origin(settings().user),
        )
    if execution_id is None:
        raise InfrastructureError("the execution could not be queued")
    return Begun(execution_id, workflow_id, workflow.version)


def wait_for(
    found: Database, tenant_id: str, execution_id: UUID, *, timeout_seconds: float
) -> dict[str, Any]:
    """The report of an execution once it has ended.

    Raises:
        InfrastructureError: It has not ended in time.
    """
    end = time.monotonic() + timeout_seconds
    with found.listen("oneo_work") as connection:
        while True:
            with found.tenant(tenant_id) as session:
                row = executions.get(session, execution_id)
                if row.status in executions.FINAL:
                    return execution_report(session, row)
            if time.monotonic() > end:
                raise InfrastructureError(
                    f"execution {execution_id} is still {row.status} after {timeout_seconds:.0f} s",
                    hint=f"look again with `oneo runs show {execution_id}`",
                )
            for _ in connection.notifies(timeout=1, stop_after=1):
                pass


def run_here(
    found: Database,
    tenant_id: str,
    document: Mapping[str, Any],
    data: Mapping[str, Any],
    ask: Ask = lambda _: False,
    on_wait: Callable[[datetime], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a definition in this process, without Airflow; the execution and its log are kept as always.

    Where it fails, its error workflow runs right afterwards; `error_workflow` of the report is that one's. Where its
    nodes wait, so does this process; `on_wait` is told until when.

    Raises:
        InvalidDefinitionError: The document has errors.
        UserError: The data does not fit its variables, or this person may not start it.
    """
    plan = plan_of(document, catalogue())
    _admitted(plan, ask)
    check_variables(plan, data)
    node = trigger_by_hand(plan)
    execution_id = uuid4()
    with found.tenant(tenant_id) as session:
        version = workflows.ensure_known(session, tenant_id, plan.workflow_id, plan.name)
    start = Start(
        tenant_id=tenant_id,
        execution_id=execution_id,
        version=version,
        dag_id=workflows.dag_id(tenant_id, plan.workflow_id),
        run_id=f"{families.LOCAL}{execution_id}",
        trigger_node=node.id if node else None,
        trigger_type="trigger_manual",
        data=data,
        origin=Origin(settings().user),
    )
    follows = _to_end(found, plan, start, on_wait)
    run_queued(found, tenant_id, execution_id)
    report = _report(found, tenant_id, execution_id)
    if follows is not None:
        _follow(found, start, follows)
        report["error_workflow"] = _report(found, tenant_id, follows.execution_id)
    return report


def _report(found: Database, tenant_id: str, execution_id: UUID) -> dict[str, Any]:
    with found.tenant(tenant_id) as session:
        return execution_report(session, executions.get(session, execution_id))


def run_queued(found: Database, tenant_id: str, execution_id: UUID) -> None:
    """Run the workflows that an execution's nodes have put into the queue, in this process, until none waits."""
    while True:
        with found.tenant(tenant_id) as session:
            row = families.take_queued(session, tenant_id, execution_id)
            if row is None:
                return
            start = Start(
                tenant_id=tenant_id,
                execution_id=row.id,
                version=row.version,
                dag_id=row.dag_id,
                run_id=row.run_id,
                trigger_node=row.trigger_node,
                trigger_type=row.trigger_type,
                data=row.data,
                queued=True,
            )
            plan = published_plan(session, row)
        follows = _to_end(found, plan, start)
        if follows is not None:
            _follow(found, start, follows)


def _follow(found: Database, failed: Start, run: ErrorRun) -> None:
    """Run an error workflow after what has failed."""
    start = replace(
        failed,
        execution_id=run.execution_id,
        version=run.version,
        dag_id=workflows.dag_id(run.tenant_id, run.plan.workflow_id),
        run_id=f"{families.LOCAL}{run.execution_id}",
        trigger_node=run.trigger_node,
        trigger_type=TRIGGER_TYPE,
        data=run.data,
        origin=families.NOBODY,
        queued=False,
    )
    _to_end(found, run.plan, start)
    run_queued(found, run.tenant_id, run.execution_id)


def _to_end(
    found: Database, plan: Plan, start: Start, on_wait: Callable[[datetime], None] = lambda _: None
) -> ErrorRun | None:
    """Run an execution; returns the error workflow that follows it."""
    state = _begun(found, plan, start)
    status, follows = "failed", None
    try:
        while (end := asyncio.run(_runner(found, plan, state).run())).until is not None:
            on_wait(end.until)
            time.sleep(max(0.0, (end.until - datetime.now(UTC)).total_seconds()))
            state = _begun(found, plan, start)
        status = end.status
    finally:
        # Also where it was interrupted: nothing is left that looks as if it still ran.
        with found.system() as session:
            row = executions.get_for_update(session, start.tenant_id, start.execution_id)
            follows = complete(session, row, plan, status)
    return follows


def _begun(found: Database, plan: Plan, start: Start) -> ExecutionState:
    with found.tenant(start.tenant_id) as session:
        return begin(session, plan, start)


def _runner(found: Database, plan: Plan, state: ExecutionState) -> PlanRunner:
    return PlanRunner(plan, state, catalogue(), found, local_vault())
