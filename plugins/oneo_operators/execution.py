"""The state of an execution as one node finds it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dag_factory.plan import Body, Flow, Plan, PlanNode
from oneo.errors import NodeError
from oneo.expressions import Lazy, Scope
from oneo.settings import settings
from oneo.store import executions, log, records, tenants
from oneo.store.families import NOBODY, Origin
from oneo.store.log import NodeKey
from oneo_operators.failure import details
from oneo_operators.left import FAILURE, OUTPUTS, VARIABLES, Left, entries
from oneo_operators.record_stores import record_store
from oneo_operators.services import Secrets, Vault
from oneo_operators.variables import Changes

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo.store.models import Execution


@dataclass(frozen=True)
class Start:
    """How an execution comes to be, where no row of it exists yet.

    Attributes:
        data: Trigger data: an event's, or what the person who started it gave.
        origin: Who asked for it.
        queued: Whether it is expected in the queue already.
        refused: Why this person may not start it; the execution is kept as one that failed.
    """

    tenant_id: str
    execution_id: UUID
    version: int
    dag_id: str
    run_id: str
    trigger_node: str | None
    trigger_type: str
    data: Mapping[str, Any]
    origin: Origin = NOBODY
    queued: bool = False
    refused: NodeError | None = None


@dataclass
class ExecutionState:
    """What of an execution its nodes share.

    Attributes:
        context: What nodes left for those after them, by node id.
        outputs: Node outputs by node id, as far as they were fetched.
        loop_index: Which round of which loop this is; empty outside loops.
        names: Names that expressions see inside the loop: its item, `loop`.
        body: The loop's body.
        timezone: Zone of dates.
        revealed: Secrets that the loop nodes around have read: their items may hold them.
        goes_on: Whether it was broken off or has waited: what failed for good then stays failed.
    """

    tenant_id: str
    id: UUID
    version: int
    run_id: str
    plan: Plan
    data: Mapping[str, Any]
    record_id: str | None
    started_at: datetime
    trigger_node: str | None
    context: MutableMapping[str, Left] = field(default_factory=dict)
    outputs: MutableMapping[str, Any] = field(default_factory=dict)
    loop_index: str = ""
    names: Mapping[str, Any] = field(default_factory=dict)
    body: Body | None = None
    timezone: str = "UTC"
    revealed: set[str] = field(default_factory=set, repr=False)
    goes_on: bool = False

    @property
    def flow(self) -> Flow:
        """The nodes this state is of: the workflow's, or those of a loop's body."""
        return self.body or self.plan

    def inside(self, body: Body, index: int, names: Mapping[str, Any]) -> ExecutionState:
        """The state of one round of a loop: it sees what is outside, and leaves nothing there."""
        return replace(
            self,
            context=ChainMap({}, self.context),
            outputs=ChainMap({}, self.outputs),
            loop_index=f"{self.loop_index}[{index}]",
            names={**self.names, **names},
            body=body,
        )


def begin(session: Session, plan: Plan, start: Start) -> ExecutionState:
    """The execution's state, its row and its triggers' log rows written where they are not there yet."""
    row, first, is_open = executions.ensure_started(
        session,
        start.tenant_id,
        start.execution_id,
        workflow_id=plan.workflow_id,
        version=start.version,
        trigger_node=start.trigger_node,
        trigger_type=start.trigger_type,
        data=with_record(session, start.data),
        dag_id=start.dag_id,
        run_id=start.run_id,
        queued=start.queued,
        origin=start.origin,
    )
    state = replace(state_of(session, row, plan), goes_on=is_open)
    for trigger in plan.triggers:
        if trigger.id == row.trigger_node:
            if first:
                key = NodeKey(start.tenant_id, row.id, trigger.id)
                _log_trigger(session, key, trigger, start, row.data)
            state.outputs[trigger.id] = row.data
    return state


def state_of(session: Session, row: Execution, plan: Plan) -> ExecutionState:
    """The state of an execution of which nothing is known but its row."""
    return ExecutionState(
        tenant_id=row.tenant_id,
        id=row.id,
        version=row.version,
        run_id=row.run_id,
        plan=plan,
        data=row.data,
        # The row names a record by a UUID, which that of a table of the tenant's own is not known by there.
        record_id=str(row.data.get("record_id") or row.record_id or "") or None,
        started_at=row.started_at or row.created_at,
        trigger_node=row.trigger_node,
        timezone=plan.timezone or tenants.settings_of(session, row.tenant_id).timezone or "UTC",
    )


def _log_trigger(session: Session, key: NodeKey, trigger: PlanNode, start: Start, data: Any) -> None:
    if start.refused is None:
        log.write_row(session, key, trigger.type, "success", output=data)
    else:
        error = details(start.refused, (), node=trigger.id, attempt=1)
        log.write_row(session, key, trigger.type, "failed", error=error)


def with_record(session: Session, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Trigger data that names a record, with that record's fields, as a record event would bring them."""
    if "record_id" not in data or "record" in data:
        return data
    row = records.find_one(session, str(data["record_id"]))
    if row is None:
        return data
    view = records.view(row)
    return {**view, "record": view, "pipeline_id": row.pipeline_id, **data}


def scope_for(
    state: ExecutionState, node: PlanNode, database: Database, vault: Vault, *, now: datetime, seed: str
) -> Scope:
    """The names a node's expressions see: the context of its ancestors, and of them only."""

    def find_record() -> dict[str, Any] | None:
        pipeline_id = state.data.get("pipeline_id")
        with ExitStack() as transaction:
            store = record_store(
                transaction.enter_context(database.tenant(state.tenant_id)),
                state.tenant_id,
                pipeline_id if isinstance(pipeline_id, str) else None,
                vault=vault,
                database=lambda: database,
                transaction=transaction,
            )
            found = store.find_one(state.record_id or "")
            return None if found is None else found.view

    secrets = Secrets(vault, state.tenant_id)
    return scope_of(
        state, node.reads, node.context_from, secrets, find_record, now=now, seed=seed, node_id=node.id
    )


def scope_of(
    state: ExecutionState,
    reads: Iterable[str],
    context_from: Sequence[str],
    secrets: Mapping[str, Any],
    find_record: Callable[[], dict[str, Any] | None],
    *,
    now: datetime,
    seed: str,
    node_id: str | None = None,
) -> Scope:
    """The names expressions see at some place of an execution.

    Args:
        state: The execution.
        reads: Ids of the nodes whose outputs are seen.
        context_from: Ids of the nodes whose context is seen, in the order they come.
        secrets: `secrets`.
        find_record: Gives the view of the record the execution is about.
        now: The moment.
        seed: What random values follow from.
        node_id: The node there; None at the workflow's end.
    """

    def fetch_record() -> Any:
        view = find_record()
        if view is not None:
            return with_url(view)
        held = state.data.get("record")
        return with_url(held) if isinstance(held, dict) else held

    names: dict[str, Any] = {
        "trigger": state.data,
        # As in Airflow, where a task fetches the outputs its expressions read and no others.
        "nodes": {one: state.outputs[one] for one in reads if one in state.outputs},
        "secrets": secrets,
        "workflow": {
            "id": state.plan.workflow_id,
            "name": state.plan.name,
            "version": state.version,
            "tenant": state.tenant_id,
        },
        "execution": {"id": str(state.id), "run_id": state.run_id, "started_at": state.started_at},
    }
    context: dict[str, Any] = {}
    if state.record_id is not None or "record" in state.data:
        record = Lazy(fetch_record)
        names["record"] = record
        context |= {
            "record": record,
            "record_id": state.record_id,
            "pipeline_id": state.data.get("pipeline_id"),
        }
    variables = variables_of(state.plan, state.data)
    for earlier in context_from:
        left = state.context.get(earlier, {})
        context |= entries(left)
        if VARIABLES in left:
            variables = Changes(**left[VARIABLES]).applied_to(variables)
        if OUTPUTS in left:
            # A node of this very round that was skipped has no output, whatever it gave in an earlier one.
            passed = _passed(state.plan, node_id, context_from, since=earlier)
            inner = {one: given for one, given in left[OUTPUTS].items() if one not in passed}
            names["nodes"] = {**inner, **names["nodes"]}
        if FAILURE in left:
            names["error"] = left[FAILURE]
    names["context"] = context
    names["variables"] = variables
    names |= state.names
    scope = Scope(names, now=now, timezone=state.timezone, seed=seed)
    scope.revealed |= state.revealed
    return scope


def _passed(plan: Plan, node_id: str | None, context_from: Sequence[str], *, since: str) -> set[str]:
    """The nodes before one in the same round of a loop around it; before any other loop, those of its own level."""
    found = set(context_from)
    if node_id in plan.inside.get(since, ()):
        for other in context_from:
            inner = plan.inside.get(other, frozenset())
            found |= inner if node_id not in inner else frozenset()
    return found


def with_url(view: dict[str, Any]) -> dict[str, Any]:
    """A record's view with its address in the CRM, where one is configured."""
    url = settings().record_url
    for name in ("id", "pipeline_id"):
        url = url and url.replace(f"{{{name}}}", str(view.get(name) or ""))
    return {"url": url, **view}


def variables_of(plan: Plan, data: Mapping[str, Any]) -> dict[str, Any]:
    """The workflow's variables: what the run gave, else their defaults."""
    return {
        name: data[name] if data.get(name) is not None else variable.get("default")
        for name, variable in plan.variables.items()
    }
