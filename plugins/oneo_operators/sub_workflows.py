"""Workflows that a node calls: run in its own process, or put into the queue.

Each is an execution of its own, whose id follows from the calling execution, node and loop index. A call that was
broken off finds it again: what it has done is not repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dag_factory.plan import Plan
from dag_factory.variables import misfits
from oneo.errors import ConfigError, NodeError, NotFoundError, OneoError, PermanentNodeError
from oneo.settings import settings
from oneo.store import executions, families, records, workflows
from oneo.store.families import Origin
from oneo.store.models import Execution, WorkflowVersion
from oneo.suggest import did_you_mean
from oneo_operators.admission import admit, starter_of, trigger_by_hand
from oneo_operators.catalogue import catalogue
from oneo_operators.completion import complete
from oneo_operators.execution import ExecutionState, Start, begin, with_record
from oneo_operators.plans import plan_of
from oneo_operators.runner import PlanRunner

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo.store.log import NodeKey
    from oneo_operators.runtime import Runtime
    from oneo_operators.services import Vault


@dataclass(frozen=True)
class Wanted:
    """A workflow to run.

    Attributes:
        data: Its trigger data, plain JSON without secrets.
        version: None for the newest.
        closed: Whether data that is no variable is refused.
        inherits: Whether it runs on behalf of whoever started the caller, without being asked itself.
        confirmed: Whether its trigger's question is answered with yes, where it is asked.
    """

    workflow_id: str
    data: Mapping[str, Any]
    version: int | None = None
    closed: bool = False
    inherits: bool = True
    confirmed: bool = False


@dataclass(frozen=True)
class Ended:
    """A sub-workflow that succeeded.

    Attributes:
        outputs: Its output where the workflow declares outputs, else empty.
    """

    execution_id: UUID
    workflow_id: str
    version: int
    output: Any
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class _Called:
    """A call that may be made."""

    row: WorkflowVersion
    plan: Plan
    origin: Origin


class SubWorkflows:
    """Runs workflows on behalf of one node.

    Args:
        key: The node.
        database: The store.
        vault: Secrets and connections.
        runtime: What the task that runs the node among others holds for all of them.
    """

    def __init__(self, key: NodeKey, database: Database, vault: Vault, runtime: Runtime | None) -> None:
        self._tenant_id = key.tenant_id
        self._parent = key.execution_id
        self._node = f"{key.node_id}{key.loop_index}"
        self._id = families.id_in(self._parent, self._node)
        self._database = database
        self._vault = vault
        self._journal = runtime.journal if runtime is not None else None
        self._places = runtime.places if runtime is not None else None
        self._catalogue = runtime.catalogue if runtime is not None else catalogue()

    async def run(self, wanted: Wanted, *, timeout_seconds: float | None = None) -> Ended:
        """Run a workflow to its end, unless an earlier attempt has done so.

        Raises:
            ConfigError: It cannot be called like this.
            PermanentNodeError: It failed, or ran longer than allowed.
            OneoError: The store does not answer any more; the next attempt goes on with it.
        """
        state = self._begin(wanted)
        if state is None:
            return self._ended()
        own = state.plan.timeout_minutes
        limit = min((one for one in (timeout_seconds, own and own * 60) if one), default=None)
        runner = PlanRunner(
            state.plan, state, self._catalogue, self._database, self._vault, places=self._places
        )
        try:
            async with self._place_for_others(), asyncio.timeout(limit):
                status = (await runner.run()).status
        except TimeoutError:
            problem = {"type": "Timeout", "message": f"it ran longer than {(limit or 0) / 60:g} minutes"}
            self._end(state, "failed", problem)
        except NodeError as error:
            self._end(state, "failed", error.as_json())
        else:
            self._end(state, status)
        return self._ended()

    def queue(self, session: Session, wanted: Wanted) -> UUID:
        """Put a workflow into the queue, in a transaction of the caller's; returns the execution's id.

        Raises:
            ConfigError: It cannot be called like this.
        """
        called = self._called(session, wanted)
        trigger = trigger_by_hand(called.plan)
        record_id = wanted.data.get("record_id")
        record = records.find_one(session, str(record_id)) if record_id else None
        executions.enqueue(
            session,
            self._tenant_id,
            wanted.workflow_id,
            version=called.row.version,
            trigger_node=trigger.id if trigger else None,
            trigger_type="sub_workflow",
            data=with_record(session, wanted.data),
            dag_id=workflows.dag_id(self._tenant_id, wanted.workflow_id),
            record_id=record.id if record is not None else None,
            execution_id=self._id,
            origin=called.origin,
        )
        return self._id

    def _begin(self, wanted: Wanted) -> ExecutionState | None:
        """The execution at its beginning, or where an attempt before left it; None where it has succeeded."""
        written = 0
        with self._database.tenant(self._tenant_id) as session:
            state = self._begun(session, wanted)
            if state is not None and self._journal is not None:
                # What the caller's nodes did stands in the log before what is built on it.
                written = self._journal.write(session)
        if self._journal is not None:
            self._journal.drop(written)
        return state

    def _begun(self, session: Session, wanted: Wanted) -> ExecutionState | None:
        known = session.get(Execution, (self._tenant_id, self._id))
        if known is None:
            called = self._called(session, wanted)
            plan, version, origin = called.plan, called.row.version, called.origin
        elif known.workflow_id != wanted.workflow_id:
            raise PermanentNodeError(
                f"this node has begun workflow {known.workflow_id!r}, and now it is to run {wanted.workflow_id!r}",
                "start a new execution of this workflow",
            )
        elif known.status == "success":
            return None
        else:
            plan, version, origin = plan_of(session, known), known.version, families.NOBODY
        trigger = trigger_by_hand(plan)
        start = Start(
            tenant_id=self._tenant_id,
            execution_id=self._id,
            version=version,
            dag_id=workflows.dag_id(self._tenant_id, wanted.workflow_id),
            run_id=f"{families.INLINE}{self._id}",
            trigger_node=trigger.id if trigger else None,
            trigger_type="sub_workflow",
            data=wanted.data,
            origin=origin,
        )
        return begin(session, plan, start)

    def _end(self, state: ExecutionState, status: str, problem: Mapping[str, Any] | None = None) -> None:
        with self._database.tenant(self._tenant_id) as session:
            row = executions.get_for_update(session, self._tenant_id, self._id)
            # Another process may have run it at the same time and been first.
            if row.status == "success":
                return
            complete(session, row, state.plan, status)
            if problem is not None:
                executions.finish(session, row, "failed", error=problem)

    def _ended(self) -> Ended:
        with self._database.tenant(self._tenant_id) as session:
            row = executions.get(session, self._id)
            declared = bool(plan_of(session, row).outputs)
        if row.status == "success":
            outputs = row.output if declared else None
            return Ended(row.id, row.workflow_id, row.version, row.output, outputs or {})
        error = row.error or {}
        place = f"node {error['node']!r}: " if error.get("node") else ""
        raise PermanentNodeError(
            f"sub-workflow {row.workflow_id!r} failed: {place}{error.get('message')}",
            f"`oneo runs show {row.id}` shows the execution",
        )

    def _called(self, session: Session, wanted: Wanted) -> _Called:
        line = families.ancestors(session, self._tenant_id, self._parent)
        _check_chain([row.workflow_id for row in line], wanted.workflow_id)
        row = _version(session, wanted)
        try:
            plan = plan_of(session, row)
        except (KeyError, OneoError) as error:
            reason = str(error.args[0] if error.args else error)
            raise ConfigError(
                f"version {row.version} of workflow {row.workflow_id!r} cannot be read: {reason}",
                "publish it again",
            ) from error
        _check_data(plan, wanted)
        starter = line[-1].started_by
        if not wanted.inherits:
            try:
                admit(plan, self._catalogue, starter_of(starter, confirmed=wanted.confirmed))
            except NodeError as error:
                message = f"sub-workflow {wanted.workflow_id!r}: {error.message}"
                raise PermanentNodeError(message, error.hint) from error
        return _Called(row, plan, Origin(starter, self._parent, self._node, line[-1].depth + 1))

    @asynccontextmanager
    async def _place_for_others(self) -> AsyncIterator[None]:
        """While the caller only waits, the nodes it waits for need its place."""
        if self._places is None:
            yield
            return
        self._places.release()
        try:
            yield
        finally:
            await self._places.acquire()


def _check_chain(chain: list[str], workflow_id: str) -> None:
    way = " → ".join([*chain, workflow_id])
    if workflow_id in chain:
        raise ConfigError(
            f"workflows call each other without end: {way}",
            "take one of these calls out, or repeat nodes with a loop",
        )
    most = settings().max_sub_workflow_depth
    if len(chain) > most:
        raise ConfigError(
            f"sub-workflows stand more than {most} deep in each other: {way}",
            "call fewer from within each other, or raise ONEO_MAX_SUB_WORKFLOW_DEPTH",
        )


def _version(session: Session, wanted: Wanted) -> WorkflowVersion:
    try:
        workflow = workflows.get(session, wanted.workflow_id)
        row = workflows.get_version(session, workflow.id, wanted.version) if workflow.version else None
    except NotFoundError as error:
        raise ConfigError(error.message, error.hint or f"the newest is {workflow.version}") from error
    if row is None:
        raise ConfigError(f"workflow {workflow.id!r} is not published", f"`oneo publish` {workflow.id}")
    if not workflow.active:
        raise ConfigError(f"workflow {workflow.id!r} was withdrawn", "publish it again, or call another one")
    if not row.active:
        raise ConfigError(
            f"version {row.version} of workflow {workflow.id!r} is the one that withdrew it",
            f"the newest is {workflow.version}",
        )
    return row


def _check_data(plan: Plan, wanted: Wanted) -> None:
    problems = [message for _, message in misfits(plan.variables, wanted.data)]
    hint = "its `variables` say what it takes"
    if wanted.closed:
        for name in sorted(wanted.data.keys() - plan.variables.keys()):
            problems.append(f"there is no variable {name!r}")
            hint = did_you_mean(name, plan.variables)
    if problems:
        raise ConfigError(f"sub-workflow {wanted.workflow_id!r}: {'; '.join(problems)}", hint)
