"""Where an attempt's row goes: into the store at once, or into the journal of a task that runs many nodes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from oneo.errors import OneoError
from oneo.store import attempts, log
from oneo.store.attempts import Kept
from oneo.store.log import NodeKey
from oneo.store.models import ExecutionLog

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dag_factory.plan import PlanNode
    from oneo.database import Database
    from oneo_operators.execution import ExecutionState
    from oneo_operators.journal import Journal


@dataclass(frozen=True)
class Begun:
    """An attempt that has begun.

    Attributes:
        number: Counted from 1.
        now: What all attempts of the node see as now.
        config: What it goes on with, where it has waited for something; None where it is new.
    """

    number: int
    now: datetime
    config: dict[str, Any] | None = None


class AttemptRows(Protocol):
    """Keeps the rows of one node's attempts.

    Attributes:
        joins: Whether a success is written in the transaction of the attempt's effects.
    """

    joins: bool

    def begin(self) -> Begun | Kept:
        """A new attempt, or what an earlier one left that succeeded."""

    def succeed(self, session: Callable[[], Session], number: int, row: dict[str, Any]) -> None:
        """Complete the row in the transaction of the attempt's effects."""

    def fail(self, number: int, row: dict[str, Any], *, final: bool) -> Kept | None:
        """Complete the row; what another process left that ran the node at the same time and was first, if any."""

    def stop(self, number: int, row: dict[str, Any]) -> None:
        """Complete the row of an attempt that was cancelled, as far as the store still answers."""


class StoredRows:
    """Rows in the store: written when the attempt begins, completed with its effects.

    Args:
        key: The attempts' key.
        node: The node.
        state: The execution; takes up the context that earlier nodes left.
        database: The store.
        journal: Rows that must be there before this attempt begins. With one, the task runs earlier nodes as well, and
            what they left is at hand.
    """

    joins = True

    def __init__(
        self,
        key: NodeKey,
        node: PlanNode,
        state: ExecutionState,
        database: Database,
        journal: Journal | None = None,
    ) -> None:
        self._key = key
        self._node = node
        self._state = state
        self._database = database
        self._journal = journal

    def begin(self) -> Begun | Kept:
        """A new attempt, or what an earlier one left that succeeded."""
        kept = self._journal.kept(self._key) if self._journal else None
        if kept is not None:
            return kept
        while True:
            try:
                with self._database.tenant(self._key.tenant_id, durable=False) as session:
                    written = self._journal.write(session) if self._journal else 0
                    found = self.begin_in(session)
            except IntegrityError as error:
                if not is_race(error):
                    raise
            else:
                if self._journal:
                    self._journal.drop(written)
                return found

    def begin_in(self, session: Session) -> Begun | Kept:
        """The same in a transaction of the caller's.

        Raises:
            sqlalchemy.exc.IntegrityError: Another process began one in this very moment; see `is_race`.
        """
        missing = [one for one in self._node.context_from if one not in self._state.context]
        if self._journal is not None:
            missing = []
        before = attempts.before(session, self._key, missing)
        if before.kept is not None:
            return before.kept
        self._state.context.update(before.context)
        if (
            before.resting is not None
            and before.first_started is not None
            and log.resume(session, self._key, before.attempts)
        ):
            return Begun(before.attempts, before.first_started, before.resting)
        number = before.attempts + 1
        started = log.start_attempt(session, self._key, self._node.type, number)
        return Begun(number, before.first_started or started)

    def rest(self, session: Session, number: int, config: dict[str, Any], until: datetime) -> None:
        """Note that the attempt waits, in the transaction of what it did so far."""
        log.rest(session, self._key, number, config, until)

    def succeed(self, session: Callable[[], Session], number: int, row: dict[str, Any]) -> None:
        """Complete the row in the transaction of the attempt's effects."""
        log.end_attempt(session(), self._key, number, "success", **row)

    def fail(self, number: int, row: dict[str, Any], *, final: bool) -> Kept | None:
        """Complete the row; what another process left that ran the node at the same time and was first, if any."""
        with self._database.tenant(self._key.tenant_id) as session:
            first = attempts.before(session, self._key).kept
            if first is not None:
                columns = {**self._key.columns(), "attempt": number}
                session.execute(
                    delete(ExecutionLog).where(
                        *(getattr(ExecutionLog, name) == value for name, value in columns.items())
                    )
                )
                return first
            log.end_attempt(session, self._key, number, "failed", **row)
        return None

    def stop(self, number: int, row: dict[str, Any]) -> None:
        """Complete the row of an attempt that was cancelled, as far as the store still answers."""
        with (
            suppress(OneoError, SQLAlchemyError),
            self._database.tenant(self._key.tenant_id) as session,
        ):
            log.end_attempt(session, self._key, number, "failed", **row)


class JournaledRows:
    """Rows in a journal, for nodes without effects.

    Args:
        key: The node.
        node_type: Its type.
        journal: The task's journal.
    """

    joins = False

    def __init__(self, key: NodeKey, node_type: str, journal: Journal) -> None:
        self._key = key
        self._node_type = node_type
        self._journal = journal
        self._started = datetime.now(UTC)

    def begin(self) -> Begun | Kept:
        """A new attempt, or what an earlier one left that succeeded."""
        # It may have waited for its turn since it was made.
        self._started = datetime.now(UTC)
        kept = self._journal.kept(self._key)
        return kept if kept is not None else Begun(*self._journal.begin(self._key))

    def succeed(self, session: Callable[[], Session], number: int, row: dict[str, Any]) -> None:
        """Keep the row."""
        self._journal.add(self._whole(number, "success", row), final=True)

    def fail(self, number: int, row: dict[str, Any], *, final: bool) -> Kept | None:
        """Keep the row."""
        self._journal.add(self._whole(number, "failed", row), final=final)
        return None

    def stop(self, number: int, row: dict[str, Any]) -> None:
        """Keep the row."""
        self._journal.add(self._whole(number, "failed", row), final=True)

    def _whole(self, number: int, status: str, row: dict[str, Any]) -> dict[str, Any]:
        empty = {"input": None, "output": None, "context_updates": None, "routes": None, "error": None}
        whole = {
            **self._key.columns(),
            "attempt": number,
            "node_type": self._node_type,
            "status": status,
            **empty,
            **row,
            "started_at": self._started,
            "ended_at": datetime.now(UTC),
        }
        # As `log.end_attempt` keeps them.
        whole["context_updates"] = whole["context_updates"] or None
        whole["routes"] = list(whole["routes"]) if whole["routes"] is not None else None
        return whole


class JoinedRows(JournaledRows):
    """Rows written whole in the transaction of the effects, for nodes whose only effects are in the store.

    Nothing outside knows of an attempt before that transaction, so no row need say that it has begun.

    Args:
        key: The node.
        node_type: Its type.
        journal: The task's journal.
        database: The store.
    """

    joins = True

    def __init__(self, key: NodeKey, node_type: str, journal: Journal, database: Database) -> None:
        super().__init__(key, node_type, journal)
        self._database = database

    def succeed(self, session: Callable[[], Session], number: int, row: dict[str, Any]) -> None:
        """Write the row.

        Raises:
            sqlalchemy.exc.IntegrityError: Another process has run the node at the same time.
        """
        log.write_row_once(session(), self._whole(number, "success", row))

    def fail(self, number: int, row: dict[str, Any], *, final: bool) -> Kept | None:
        """Write the row; what another process left that ran the node at the same time and was first, if any."""
        with self._database.tenant(self._key.tenant_id) as session:
            before = attempts.before(session, self._key)
            if before.kept is None:
                number = max(number, before.attempts + 1)
                log.write_row_once(session, self._whole(number, "failed", row))
        if final:
            self._journal.end(self._key)
        return before.kept


def is_race(error: IntegrityError) -> bool:
    """Whether two processes began an attempt of the same node at once: the loser counts again."""
    return "execution_log_pkey" in str(error.orig)
