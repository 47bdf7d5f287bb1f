"""Workflows that a node calls: run in its own process, or put into the queue.

Each is an execution of its own, whose id follows from the calling execution, node and loop index. A call that was
broken off finds it again: what it has done is not repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dag_factory.plan import Plan
from oneo.errors import NodeError, PermanentNodeError
from oneo.store import executions, families, records, workflows
from oneo.store.large import final_output_of
from oneo.store.models import Execution
from oneo_operators.admission import trigger_by_hand
from oneo_operators.calling import Called, Wanted, called
from oneo_operators.catalogue import catalogue
from oneo_operators.completion import complete
from oneo_operators.execution import ExecutionState, Start, begin, with_record
from oneo_operators.plans import plan_of
from oneo_operators.result import Wait
from oneo_operators.runner import PlanRunner

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo.store.log import NodeKey
    from oneo_operators.runtime import Runtime
    from oneo_operators.services import Vault


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

    async def run(self, wanted: Wanted, *, timeout_seconds: float | None = None) -> Ended | Wait:
        """Run a workflow to its end, unless an earlier attempt has done so, or as far as it goes before it waits.

        Raises:
            ConfigError: It cannot be called like this.
            PermanentNodeError: It failed, or ran longer than allowed.
            OneoError: The store does not answer any more; the next attempt goes on with it.
        """
        state = self._begin(wanted)
        if isinstance(state, Ended):
            return state
        own = state.plan.timeout_minutes
        limit = min((one for one in (timeout_seconds, own and own * 60) if one), default=None)
        runner = PlanRunner(
            state.plan,
            state,
            self._catalogue,
            self._database,
            self._vault,
            places=self._places,
            timeout_seconds=limit,
        )
        try:
            async with self._place_for_others():
                end = await runner.run()
        except NodeError as error:
            return self._end(state, "failed", error.as_json())
        if end.until is not None:
            return Wait(end.until)
        if end.timed_out:
            problem = {"type": "Timeout", "message": f"it ran longer than {(limit or 0) / 60:g} minutes"}
            return self._end(state, "failed", problem)
        return self._end(state, end.status)

    def queue(self, session: Session, wanted: Wanted) -> UUID:
        """Put a workflow into the queue, in a transaction of the caller's; returns the execution's id.

        Raises:
            ConfigError: It cannot be called like this.
        """
        found = self._called(session, wanted)
        trigger = trigger_by_hand(found.plan)
        record_id = wanted.data.get("record_id")
        record = records.find_one(session, str(record_id)) if record_id else None
        executions.enqueue(
            session,
            self._tenant_id,
            wanted.workflow_id,
            version=found.row.version,
            trigger_node=trigger.id if trigger else None,
            trigger_type="sub_workflow",
            data=with_record(session, wanted.data),
            dag_id=workflows.dag_id(self._tenant_id, wanted.workflow_id),
            record_id=record.id if record is not None else None,
            execution_id=self._id,
            origin=found.origin,
        )
        return self._id

    def _begin(self, wanted: Wanted) -> ExecutionState | Ended:
        """The execution at its beginning, or where an attempt before left it."""
        written = 0
        with self._database.tenant(self._tenant_id) as session:
            state = self._begun(session, wanted)
            if self._journal is not None:
                # What the caller's nodes did stands in the log before what is built on it.
                written = self._journal.write(session)
        if self._journal is not None:
            self._journal.drop(written)
        return state

    def _begun(self, session: Session, wanted: Wanted) -> ExecutionState | Ended:
        known = session.get(Execution, (self._tenant_id, self._id))
        if known is None:
            found = self._called(session, wanted)
            plan, version, origin = found.plan, found.row.version, found.origin
        elif known.workflow_id != wanted.workflow_id:
            raise PermanentNodeError(
                f"this node has begun workflow {known.workflow_id!r}, and now it is to run {wanted.workflow_id!r}",
                "start a new execution of this workflow",
            )
        elif known.status == "success":
            return _ended(known, plan_of(session, known))
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

    def _end(self, state: ExecutionState, status: str, problem: Mapping[str, Any] | None = None) -> Ended:
        with self._database.tenant(self._tenant_id) as session:
            row = executions.get_for_update(session, self._tenant_id, self._id)
            # Another process may have run it at the same time and been first.
            if row.status != "success":
                complete(session, row, state.plan, status, problem)
        return _ended(row, state.plan)

    def _called(self, session: Session, wanted: Wanted) -> Called:
        return called(session, self._tenant_id, self._parent, self._node, wanted, self._catalogue)

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


def _ended(row: Execution, plan: Plan) -> Ended:
    """A sub-workflow that has ended.

    Raises:
        PermanentNodeError: It failed.
    """
    if row.status == "success":
        output = final_output_of(row)
        return Ended(row.id, row.workflow_id, row.version, output, output if plan.outputs else {})
    error = row.error or {}
    place = f"node {error['node']!r}: " if error.get("node") else ""
    raise PermanentNodeError(
        f"sub-workflow {row.workflow_id!r} failed: {place}{error.get('message')}",
        f"`oneo runs show {row.id}` shows the execution",
    )
