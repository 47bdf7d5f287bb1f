"""One attempt of one node: resolve its config, run it, keep effects and log row in one transaction."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from dag_factory.plan import ERROR, SUCCESS, PlanNode
from oneo.database import to_json
from oneo.errors import NodeError, OneoError, PermanentNodeError
from oneo.store import log
from oneo.store.log import Kept, NodeKey
from oneo.store.models import ExecutionLog
from oneo_operators.context import NodeContext
from oneo_operators.execution import ExecutionState, scope_for
from oneo_operators.failure import as_node_error, details, redacted
from oneo_operators.redact import redact
from oneo_operators.resolving import as_input, checked, evaluated
from oneo_operators.result import NodeResult
from oneo_operators.variables import VARIABLES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo_operators.base import NodeOperator
    from oneo_operators.services import Vault

logger = logging.getLogger(__name__)

# What a node leaves behind goes into a log row, into XCom and into every node that reads it.
MAX_OUTPUT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        routes: The ways out taken; empty where the failure was not handled.
        error: For a failed attempt, redacted; raise it to have the attempt repeated.
        replayed: Whether this is the kept result of an earlier attempt, which was not repeated.
    """

    status: str
    output: Any = None
    context_updates: Mapping[str, Any] | None = None
    routes: tuple[str, ...] = ()
    error: NodeError | None = None
    replayed: bool = False


class NodeAttempt:
    """Runs a node once.

    Args:
        operator: The node's executable.
        node: Its place in the plan.
        state: The execution; `outputs` must hold what the node reads.
        database: The store.
        vault: Secrets and connections.
        loop_index: Which iteration, inside loops.
    """

    def __init__(
        self,
        operator: NodeOperator,
        node: PlanNode,
        state: ExecutionState,
        database: Database,
        vault: Vault,
        *,
        loop_index: str = "",
    ) -> None:
        self.operator = operator
        self.node = node
        self.state = state
        self.database = database
        self.vault = vault
        self.key = NodeKey(state.tenant_id, state.id, node.id, loop_index)
        self._opened: datetime | Outcome | None = None
        self._number = 0
        self._inputs: Any = None

    def open(self, session: Session) -> None:
        """Write the attempt's row in a transaction the caller has open anyway; `run` goes on from there.

        Raises:
            sqlalchemy.exc.IntegrityError: Another process opened one in this very moment; see `is_race`.
        """
        self._opened = self._moment_or_kept(session)

    async def run(self, *, may_retry: Callable[[NodeError], bool]) -> Outcome:
        """Run the node, unless an earlier attempt succeeded: then its kept result is given back.

        Args:
            may_retry: Whether the caller will repeat the attempt after this error. Only a failure that is not
                repeated takes an error edge, or counts as handled by `on_error: continue`.

        Raises:
            OneoError: Neither the node's result nor its failure can be kept: the store does not answer.
        """
        now = self._opened or self._open_alone()
        self._opened = None
        if isinstance(now, Outcome):
            return now
        context: NodeContext | None = None
        try:
            context = self._context(now)
            secrets = context.scope.revealed
            values = evaluated(type(self.operator), self.node.config, context.scope)
            self._inputs = as_input(values, secrets)
            config = checked(type(self.operator), values, secrets)
            return self._keep(context, await self.operator.run(config, context))
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit) as error:
            if context is not None:
                context.rollback(error)
            self._note_stop()
            raise
        except Exception as error:
            if context is not None:
                context.rollback(error)
            return self._fail(error, context.scope.revealed if context is not None else (), may_retry)

    def _open_alone(self) -> datetime | Outcome:
        while True:
            try:
                with self.database.tenant(self.state.tenant_id, durable=False) as session:
                    return self._moment_or_kept(session)
            except IntegrityError as error:
                if not is_race(error):
                    raise

    def _moment_or_kept(self, session: Session) -> datetime | Outcome:
        """The moment this attempt sees as now, its row written; or the result that is there already."""
        missing = [one for one in self.node.context_from if one not in self.state.context]
        before = log.before(session, self.key, missing)
        if before.success is not None:
            return _replayed(before.success)
        self._number = before.attempts + 1
        self.state.context |= before.context
        started = log.start_attempt(session, self.key, self.node.type, self._number)
        return before.first_started or started

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
            place=self.state.plan.place_of(self.node),
        )

    def _keep(self, context: NodeContext, result: NodeResult) -> Outcome:
        output, updates = _as_kept(result, context.scope.revealed)
        routes = result.routes if result.routes is not None else (SUCCESS,)
        log.end_attempt(
            context.session(),
            self.key,
            self._number,
            "success",
            input=self._inputs,
            output=output,
            context_updates=updates,
            routes=routes,
        )
        context.commit()
        return Outcome("success", output, updates, routes)

    def _fail(
        self, error: Exception, secrets: Collection[str], may_retry: Callable[[NodeError], bool]
    ) -> Outcome:
        failure = as_node_error(error)
        found = details(failure, secrets, node=self.node.id, attempt=self._number)
        clean = redacted(failure, secrets)
        routes = () if may_retry(clean) else self._handled_by()
        output = {"error": found} if routes else None
        with self.database.tenant(self.state.tenant_id) as session:
            first = log.before(session, self.key).success
            if first is not None:
                # Another process ran the node at the same time and was first: its result is the node's.
                session.execute(delete(ExecutionLog).where(*self._row()))
                return _replayed(first)
            log.end_attempt(
                session,
                self.key,
                self._number,
                "failed",
                input=self._inputs,
                output=output,
                routes=routes or None,
                error=found,
            )
        if failure is not error:
            trace = "".join(traceback.format_exception(error))
            logger.error("node %s failed:\n%s", self.node.id, redact(trace, secrets))
        return Outcome("failed", output, routes=routes, error=clean)

    def _note_stop(self) -> None:
        """Close the row of an attempt that was cancelled, as far as the store still answers."""
        error = {
            "type": "Stopped",
            "message": "the run was stopped while this node was at work; its changes were taken back",
            "node": self.node.id,
            "attempt": self._number,
        }
        with (
            suppress(OneoError, SQLAlchemyError),
            self.database.tenant(self.state.tenant_id) as session,
        ):
            log.end_attempt(session, self.key, self._number, "failed", input=self._inputs, error=error)

    def _row(self) -> list[Any]:
        columns = {**self.key.columns(), "attempt": self._number}
        return [getattr(ExecutionLog, name) == value for name, value in columns.items()]

    def _handled_by(self) -> tuple[str, ...]:
        if any(ERROR in edge.routes for edge in self.state.plan.edges_from(self.node.id)):
            return (ERROR,)
        if self.node.on_error == "continue":
            return (SUCCESS,)
        return ()


def _replayed(kept: Kept) -> Outcome:
    return Outcome("success", kept.output, kept.context_updates, kept.routes or (SUCCESS,), replayed=True)


def is_race(error: IntegrityError) -> bool:
    """Whether two processes opened an attempt of the same node at once: the loser counts again."""
    return "execution_log_pkey" in str(error.orig)


def _as_kept(result: NodeResult, secrets: Collection[str]) -> tuple[Any, dict[str, Any]]:
    left = dict(result.context_updates)
    if result.variables is not None:
        left[VARIABLES] = asdict(result.variables)
    try:
        output, updates = redact(result.output, secrets), redact(left, secrets)
    except (TypeError, ValueError) as error:
        raise PermanentNodeError(f"the output cannot be kept as JSON: {error}") from error
    size = len(to_json([output, updates]).encode())
    if size > MAX_OUTPUT_BYTES:
        raise PermanentNodeError(
            f"the output has {size / 2**20:.1f} MB, more than the {MAX_OUTPUT_BYTES // 2**20} MB that are kept",
            "ask for less, e.g. with limit, include_fields or paging",
        )
    return output, updates
