"""One attempt of one node: resolve its config, run it, keep effects and log row in one transaction."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from dag_factory.catalogue import Place
from dag_factory.plan import ERROR, SUCCESS, PlanNode
from oneo.errors import NodeError, OneoError, PermanentNodeError
from oneo.store import executions
from oneo.store.attempts import Kept
from oneo.store.log import NodeKey
from oneo_operators.attempt_rows import AttemptRows, Begun, JoinedRows, JournaledRows, StoredRows
from oneo_operators.context import NodeContext
from oneo_operators.execution import ExecutionState, scope_for
from oneo_operators.failure import as_node_error, details, redacted
from oneo_operators.left import FAILURE
from oneo_operators.missing import absence
from oneo_operators.outcome import Outcome, as_kept, replayed
from oneo_operators.redact import MASK, redact
from oneo_operators.resolving import as_input, checked, evaluated
from oneo_operators.result import NodeResult, Wait

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo.expressions import Scope
    from oneo_operators.base import NodeOperator
    from oneo_operators.rounds import Rounds
    from oneo_operators.runtime import Runtime
    from oneo_operators.services import Vault
    from oneo_operators.sub_workflows import SubWorkflows

logger = logging.getLogger(__name__)


class NodeAttempt:
    """Runs a node once.

    Args:
        operator: The node's executable.
        node: Its place in the plan.
        state: The execution; `outputs` must hold what the node reads.
        database: The store.
        vault: Secrets and connections.
        runtime: What the task that runs this node among others holds for all of them.
    """

    def __init__(
        self,
        operator: NodeOperator,
        node: PlanNode,
        state: ExecutionState,
        database: Database,
        vault: Vault,
        runtime: Runtime | None = None,
    ) -> None:
        self.operator = operator
        self.node = node
        self.state = state
        self.database = database
        self.vault = vault
        self.runtime = runtime
        self.key = NodeKey(state.tenant_id, state.id, node.id, state.loop_index)
        self._journal = runtime.journal if runtime is not None else None
        self._opened: Begun | Kept | None = None
        self._number = 0
        self._inputs: Any = None
        self._rows: AttemptRows
        self._stored = StoredRows(self.key, node, state, database, self._journal)
        if self._journal is None or node.waits or node.effect == "external":
            self._rows = self._stored
        elif node.effect == "pure":
            self._rows = JournaledRows(self.key, node.type, self._journal)
        else:
            self._rows = JoinedRows(self.key, node.type, self._journal, database)

    def open(self, session: Session) -> None:
        """Write the attempt's row in a transaction the caller has open anyway; `run` goes on from there.

        Raises:
            sqlalchemy.exc.IntegrityError: Another process opened one in this very moment; see `is_race`.
        """
        self._stored = StoredRows(self.key, self.node, self.state, self.database)
        self._rows, self._opened = self._stored, self._stored.begin_in(session)

    @property
    def goes_on(self) -> bool:
        """Whether the node, once opened, has waited for something."""
        return isinstance(self._opened, Begun) and self._opened.config is not None

    @property
    def repeats(self) -> bool:
        """Whether the node, once opened, has been begun before."""
        return self.goes_on or (isinstance(self._opened, Begun) and self._opened.number > 1)

    async def run(self, *, may_retry: Callable[[NodeError], bool]) -> Outcome:
        """Run the node, unless an earlier attempt succeeded: then its kept result is given back.

        Args:
            may_retry: Whether the caller will repeat the attempt after this error. Only a failure that is not
                repeated takes an error edge, or counts as handled by `on_error: continue`.

        Raises:
            OneoError: Neither the node's result nor its failure can be kept: the store does not answer.
        """
        begun = self._opened or self._rows.begin()
        self._opened = None
        if isinstance(begun, Kept):
            return replayed(begun)
        self._number = begun.number
        context: NodeContext | None = None
        try:
            context = self._context(begun.now)
            if self.operator.is_missing:
                # Before its options are looked at: what is wrong with them is not why it cannot run.
                raise absence(self.node.type)
            secrets = context.scope.revealed
            values = self._values(context.scope, begun)
            config = checked(type(self.operator), values, secrets)
            result = await self.operator.run(config, context)
            return self._rest(context, result) if isinstance(result, Wait) else self._keep(context, result)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit) as error:
            if context is not None:
                context.rollback(error)
            self._note_stop()
            raise
        except Exception as error:
            if context is not None:
                context.rollback(error)
            return self._fail(error, context.scope.revealed if context is not None else (), may_retry)

    def _values(self, scope: Scope, begun: Begun) -> Mapping[str, Any]:
        """The config with its expressions evaluated: once, however often the node waits."""
        # What was kept without its secrets is no use any more.
        if begun.config is not None and MASK not in str(begun.config):
            self._inputs = begun.config
            return begun.config
        values = evaluated(type(self.operator), self.node.config, scope)
        self._inputs = as_input(values, scope.revealed)
        return values

    def _context(self, now: datetime) -> NodeContext:
        scope = scope_for(self.state, self.node, self.database, self.vault, now=now, seed=str(self.key))
        return NodeContext(
            lambda: self.database,
            scope,
            tenant_id=self.key.tenant_id,
            execution_id=self.key.execution_id,
            node_id=self.node.id,
            vault=self.vault,
            now=scope.now or now,
            loop_index=self.key.loop_index,
            place=self._place(),
            rounds=self._rounds(now, scope),
            breaks=self.node.breaks,
            workflows=self._workflows,
        )

    def _place(self) -> Place:
        sources = [edge.source for edge in self.state.flow.edges_to(self.node.id)]
        return Place(sources, self.node.context_from, self.state.plan.types)

    def _rounds(self, now: datetime, scope: Scope) -> Rounds | None:
        if self.node.body is None or self.runtime is None:
            return None
        from oneo_operators.rounds import Rounds  # noqa: PLC0415 - runs attempts itself

        # The same set: what the loop node reads later is known inside as well.
        state = replace(self.state, revealed=scope.revealed)
        return Rounds(self.node, self.node.body, state, self.runtime, now=now)

    def _workflows(self) -> SubWorkflows:
        from oneo_operators.sub_workflows import SubWorkflows  # noqa: PLC0415 - runs attempts itself

        return SubWorkflows(self.key, self.database, self.vault, self.runtime)

    def _rest(self, context: NodeContext, wait: Wait) -> Outcome:
        """Keep what the node did so far, and that it waits."""
        if not self.node.waits:
            raise PermanentNodeError(
                f"node type {self.node.type!r} waits without having said so",
                "set `waits = True` in its class",
            )
        session = context.session()
        written = self._journal.write(session) if self._journal is not None else 0
        self._stored.rest(session, self._number, self._inputs, wait.until)
        executions.note_rest(session, self.key.tenant_id, self.key.execution_id)
        context.commit()
        if self._journal is not None:
            self._journal.drop(written)
        return Outcome("waiting", until=wait.until)

    def _keep(self, context: NodeContext, result: NodeResult) -> Outcome:
        output, updates = as_kept(result, context.scope.revealed)
        routes = result.routes if result.routes is not None else (SUCCESS,)
        row = {"input": self._inputs, "output": output, "context_updates": updates, "routes": routes}
        written = 0
        if self._journal is not None and self._rows.joins:
            # What a loop's body did stands in the log before the loop's own end.
            written = self._journal.write(context.session())
        self._rows.succeed(context.session, self._number, row)
        if self._journal is None and self.state.plan.waits:
            # Other nodes may wait, and this may have been the last one at work.
            executions.note_rest(context.session(), self.key.tenant_id, self.key.execution_id)
        context.commit()
        if self._journal is not None:
            self._journal.drop(written)
            self._journal.end(self.key)
        return Outcome("success", output, updates, routes)

    def _fail(
        self, error: Exception, secrets: Collection[str], may_retry: Callable[[NodeError], bool]
    ) -> Outcome:
        failure = as_node_error(error)
        found = details(failure, secrets, node=self.node.id, attempt=self._number)
        clean = redacted(failure, secrets)
        again = may_retry(clean)
        routes = () if again else self._handled_by()
        output = {"error": found} if routes else None
        # Routes that are none are those of a failure that nothing handles; one that is tried again has not got any.
        row = {"input": self._inputs, "output": output, "routes": None if again else routes, "error": found}
        if routes:
            row["context_updates"] = {FAILURE: found}
        if self._journal is not None and self._rows.joins:
            self._journal.flush()
        # Another process may have run the node at the same time and been first: its result is the node's.
        first = self._rows.fail(self._number, row, final=not again)
        if first is not None:
            return replayed(first)
        if self._journal is None and self.state.plan.waits and not again:
            with self.database.tenant(self.key.tenant_id) as session:
                executions.note_rest(session, self.key.tenant_id, self.key.execution_id)
        if not isinstance(error, OneoError):
            # What nobody foresaw; of all else the message says enough.
            trace = "".join(traceback.format_exception(error))
            logger.error("node %s failed:\n%s", self.node.id, redact(trace, secrets))
        return Outcome("failed", output, row.get("context_updates"), routes=routes, error=clean)

    def _note_stop(self) -> None:
        """Close the row of an attempt that was cancelled."""
        error = {
            "type": "Stopped",
            "message": "the run was stopped while this node was at work; its changes were taken back",
            "node": self.node.id,
            "attempt": self._number,
        }
        if self._journal is not None:
            with suppress(OneoError, SQLAlchemyError):
                self._journal.flush()
        self._rows.stop(self._number, {"input": self._inputs, "error": error})

    def _handled_by(self) -> tuple[str, ...]:
        if any(ERROR in edge.routes for edge in self.state.flow.edges_from(self.node.id)):
            return (ERROR,)
        if self.node.on_error == "continue":
            return (SUCCESS,)
        return ()
