"""What a node's `run` is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from dag_factory.catalogue import Place
from oneo.errors import ConfigError
from oneo.expressions import Lazy
from oneo_operators.services import Connection, Vault, find_connection, private_values

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.database import Database
    from oneo.expressions import Scope
    from oneo.store.record_store import RecordStore
    from oneo_operators.rounds import Rounds
    from oneo_operators.sub_workflows import SubWorkflows

T = TypeVar("T")
_NOWHERE = Place()


class NodeContext:
    """A node attempt's surroundings: names, transaction, connections. No Airflow.

    Args:
        database: The store.
        scope: The names expressions see.
        tenant_id: Whose workflow runs.
        execution_id: Which execution; None where an operator stands in a hand-written DAG.
        node_id: Which node.
        loop_index: Which iteration of a loop; empty outside loops.
        vault: Where secrets and connections are.
        place: Where the node stands in its workflow.
        rounds: Runs the body of a loop node; None where nothing is repeated.
        workflows: Gives what runs other workflows; None where an operator stands in a hand-written DAG.
        breaks: For a breaker: id of the loop node whose loop it ends.

    Attributes:
        now: The attempt's moment; the same at every retry.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        scope: Scope,
        *,
        tenant_id: str,
        execution_id: UUID | None,
        node_id: str,
        vault: Vault,
        now: datetime,
        loop_index: str = "",
        place: Place = _NOWHERE,
        rounds: Rounds | None = None,
        breaks: str | None = None,
        workflows: Callable[[], SubWorkflows] | None = None,
    ) -> None:
        self._database = database
        self._transaction = ExitStack()
        self._session: Session | None = None
        self._turn = asyncio.Lock()
        self._workflows = workflows
        self.scope = scope
        self.tenant_id = tenant_id
        self.execution_id = execution_id
        self.node_id = node_id
        self.loop_index = loop_index
        self.vault = vault
        self.now = now
        self.place = place
        self.rounds = rounds
        self.breaks = breaks

    def output_of(self, node_id: str) -> Any:
        """The output of a node that the type's `reads` names; None where it did not run or left nothing."""
        outputs = self.scope.find("nodes")
        return outputs.get(node_id) if isinstance(outputs, Mapping) else None

    async def store(self, work: Callable[[Session], T]) -> T:
        """Run `work` in the attempt's transaction, in a thread, one after the other.

        The transaction commits together with the attempt's log row: a node that succeeds has its effects kept
        exactly once, one that fails has none.
        """
        async with self._turn:
            job = asyncio.ensure_future(asyncio.to_thread(lambda: work(self.session())))
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                # A thread cannot be stopped, and until it is done nobody else may touch its transaction.
                await asyncio.gather(job, return_exceptions=True)
                raise

    async def read_records(self, pipeline_id: str | None, work: Callable[[RecordStore], T]) -> T:
        """Run `work` on whatever keeps the records of a pipeline, in the attempt's transaction.

        Args:
            pipeline_id: The pipeline; None for a record of our own store, of any pipeline.
            work: What to do.

        Raises:
            ConfigError: The pipeline's records are in a table whose connection is missing.
        """
        return await self.store(lambda session: work(self._records(session, pipeline_id)))

    async def change_records(self, pipeline_id: str | None, work: Callable[[RecordStore], T]) -> T:
        """The same for what changes records: however often the node is attempted, it takes place once."""

        def effect(session: Session) -> T:
            store = self._records(session, pipeline_id)
            return store.once(self.key, lambda: work(store))

        return await self.store(effect)

    def _records(self, session: Session, pipeline_id: str | None) -> RecordStore:
        from oneo_operators.record_stores import record_store  # noqa: PLC0415 - only where records are used

        return record_store(
            session,
            self.tenant_id,
            pipeline_id,
            vault=self.vault,
            database=self._database,
            transaction=self._transaction,
            execution_id=self.execution_id,
        )

    def session(self) -> Session:
        """The session of the attempt's transaction, opened at first use."""
        if self._session is None:
            transaction = self._database().tenant(self.tenant_id, execution_id=self.execution_id)
            self._session = self._transaction.enter_context(transaction)
        return self._session

    def commit(self) -> None:
        """Keep what the attempt did."""
        self._session = None
        self._transaction.close()

    def rollback(self, error: BaseException) -> None:
        """Undo what the attempt did; a connection that broke has undone it already."""
        self._session = None
        with suppress(SQLAlchemyError):
            self._transaction.__exit__(type(error), error, error.__traceback__)

    def holds(self, condition: str) -> bool:
        """Whether a condition expression holds now.

        Raises:
            ExpressionError: It cannot be evaluated.
        """
        from oneo.expressions import compile_condition  # noqa: PLC0415 - loads the parser

        return compile_condition(condition).evaluate(self.scope)

    def connection(self, conn_id: str) -> Connection:
        """The tenant's connection of that name, or the shared one.

        Raises:
            ConfigError: There is none.
        """
        found = find_connection(self.vault, self.tenant_id, conn_id)
        self.scope.reveal(private_values(found.password, found.extra))
        return found

    @property
    def workflows(self) -> SubWorkflows:
        """What runs other workflows on behalf of this node.

        Raises:
            ConfigError: The operator stands in a hand-written DAG.
        """
        if self._workflows is None:
            raise ConfigError(
                "only a workflow's node can call a workflow",
                "in a hand-written DAG, trigger the other's DAG with TriggerDagRunOperator",
            )
        return self._workflows()

    @property
    def entries(self) -> dict[str, Any]:
        """The context's entries: what nodes before this one left, and the id of the record it is about."""
        held = self.scope.names.get("context")
        found = held if isinstance(held, Mapping) else {}
        return {
            name: value for name, value in found.items() if value is not None and not isinstance(value, Lazy)
        }

    @property
    def key(self) -> str:
        """What names this node's effects: the same at every attempt, another in every iteration of a loop."""
        return f"{self.node_id}{self.loop_index}"

    @property
    def record_id(self) -> str | None:
        """Id of the record the execution is about, where there is one."""
        held = self.scope.names.get("context")
        value = held.get("record_id") if isinstance(held, Mapping) else None
        return str(value) if value else None

    @property
    def pipeline_id(self) -> str | None:
        """Pipeline of that record, where it is known."""
        held = self.scope.names.get("context")
        value = held.get("pipeline_id") if isinstance(held, Mapping) else None
        return str(value) if value else None

    @property
    def record_url(self) -> str | None:
        """Address of that record in the CRM, where one is configured."""
        record = self.scope.find("record")
        value = record.get("url") if isinstance(record, Mapping) else None
        return str(value) if value else None
