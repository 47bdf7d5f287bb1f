"""One attempt of one node: resolve its config, run it, keep effects and log row in one transaction."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError

from dag_factory.plan import ERROR, SUCCESS, PlanNode
from oneo.errors import ConfigError, ExpressionError, NodeError, OneoError, TransientNodeError, UserError
from oneo.expressions import resolve
from oneo.store import log
from oneo.store.log import NodeKey
from oneo_operators.context import NodeContext
from oneo_operators.execution import ExecutionState, scope_for
from oneo_operators.redact import redact
from oneo_operators.result import NodeResult

if TYPE_CHECKING:
    from oneo.database import Database
    from oneo_operators.base import NodeOperator
    from oneo_operators.services import Vault

logger = logging.getLogger(__name__)


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

    async def run(self, *, may_retry: Callable[[NodeError], bool]) -> Outcome:
        """Run the node, unless an earlier attempt succeeded: then its kept result is given back.

        Args:
            may_retry: Whether the caller will repeat the attempt after this error. Only a failure that is not
                repeated takes an error edge, or counts as handled by `on_error: continue`.
        """
        with self.database.tenant(self.state.tenant_id) as session:
            done = log.success_of(session, self.key)
            if done is not None:
                routes = tuple(done.routes or (SUCCESS,))
                return Outcome("success", done.output, done.context_updates, routes, replayed=True)
            attempt = log.start_attempt(session, self.key, self.node.type)
            now = log.first_started(session, self.key)
            missing = [node_id for node_id in self.node.context_from if node_id not in self.state.context]
            self.state.context |= log.context_updates(
                session, self.key.tenant_id, self.key.execution_id, missing
            )
        context = self._context(now)
        inputs: Any = None
        try:
            config, inputs = self._resolve(context)
            result = await self.operator.run(config, context)
            return self._keep(context, attempt, inputs, result)
        except Exception as error:
            context.rollback(error)
            if isinstance(error, IntegrityError):
                earlier = self._kept_by_another(error)
                if earlier is not None:
                    return earlier
            return self._fail(attempt, inputs, context, error, may_retry)

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
        )

    def _resolve(self, context: NodeContext) -> tuple[BaseModel, Any]:
        return resolve_config(type(self.operator), self.node.config, context)

    def _keep(self, context: NodeContext, attempt: int, inputs: Any, result: NodeResult) -> Outcome:
        secrets = context.scope.revealed
        output = redact(result.output, secrets)
        updates = redact(dict(result.context_updates), secrets)
        routes = result.routes if result.routes is not None else (SUCCESS,)
        log.end_attempt(
            context.session(),
            self.key,
            attempt,
            "success",
            input=inputs,
            output=output,
            context_updates=updates,
            routes=routes,
        )
        context.commit()
        return Outcome("success", output, updates, routes)

    def _kept_by_another(self, error: IntegrityError) -> Outcome | None:
        """The result of another process that ran the same node at the same time and was first."""
        if "execution_log_one_success" not in str(error.orig):
            return None
        with self.database.tenant(self.state.tenant_id) as session:
            done = log.success_of(session, self.key)
        if done is None:
            return None
        routes = tuple(done.routes or (SUCCESS,))
        return Outcome("success", done.output, done.context_updates, routes, replayed=True)

    def _fail(
        self,
        attempt: int,
        inputs: Any,
        context: NodeContext,
        error: Exception,
        may_retry: Callable[[NodeError], bool],
    ) -> Outcome:
        secrets = context.scope.revealed
        failure = as_node_error(error)
        if failure is not error:
            trace = "".join(traceback.format_exception(error))
            logger.error("node %s failed:\n%s", self.node.id, redact(trace, secrets))
        details = redact({**failure.as_json(), "node": self.node.id, "attempt": attempt}, secrets)
        clean = _same_error(failure, details["message"], details["hint"])
        routes: tuple[str, ...] = ()
        output = None
        if not may_retry(clean):
            routes = self._handled_by()
            output = {"error": details} if routes else None
        with self.database.tenant(self.state.tenant_id) as session:
            log.end_attempt(
                session,
                self.key,
                attempt,
                "failed",
                input=inputs,
                output=output,
                routes=routes or None,
                error=details,
            )
        return Outcome("failed", output, routes=routes, error=clean)

    def _handled_by(self) -> tuple[str, ...]:
        if any(ERROR in edge.routes for edge in self.state.plan.edges_from(self.node.id)):
            return (ERROR,)
        if self.node.on_error == "continue":
            return (SUCCESS,)
        return ()


def resolve_config(
    operator_type: type[NodeOperator], config: Mapping[str, Any], context: NodeContext
) -> tuple[BaseModel, Any]:
    """A node's config with its expressions evaluated, and the same as kept in the log (secrets masked).

    Raises:
        ConfigError: An expression fails, or the outcome does not fit the node's `Config`.
    """
    raw = operator_type.raw_fields()
    resolved: dict[str, Any] = {}
    for name, value in config.items():
        if name in raw:
            resolved[name] = value
            continue
        try:
            resolved[name] = resolve(value, context.scope, path=f"config.{name}")
        except ExpressionError as error:
            raise ConfigError(error.message, error.hint) from error
    inputs = redact(resolved, context.scope.revealed)
    try:
        return operator_type.Config.model_validate(resolved), inputs
    except ValidationError as error:
        found = [
            f"config.{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}, got "
            f"{_short(one['input'])}"
            for one in error.errors(include_url=False)
        ]
        raise ConfigError(
            "; ".join(found), "the values came out of expressions: see the node's input"
        ) from error


def as_node_error(error: Exception) -> NodeError:
    """Any failure as an error that says who can mend it; what we did not foresee may be worth a retry."""
    if isinstance(error, NodeError):
        return error
    if isinstance(error, UserError):
        return ConfigError(error.message, error.hint)
    if isinstance(error, OneoError):
        return TransientNodeError(error.message, error.hint)
    if isinstance(error, DBAPIError):
        reason = str(error.orig).strip().splitlines()[0]
        return TransientNodeError(f"the database refused: {reason}", "the task's log has the details")
    return TransientNodeError(
        f"{type(error).__name__}: {error}", "unexpected; the task's log has the details"
    )


def _same_error(error: NodeError, message: str, hint: str | None) -> NodeError:
    if isinstance(error, TransientNodeError):
        return TransientNodeError(message, hint, retry_after=error.retry_after)
    return type(error)(message, hint)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
