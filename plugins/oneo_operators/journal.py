"""Log rows of nodes without effects, gathered in a task that runs many of them and written together.

A pure node may be repeated at no harm, so its row need not be on disk before the next node runs. What an effect was
built on must be, though: pending rows are written in the transaction that opens the next attempt with an effect.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oneo.store import attempts, log
from oneo.store.attempts import Kept
from oneo.store.log import NodeKey

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from oneo.database import Database

# Rows are some kilobytes at most; this many are written in a few milliseconds.
FLUSH_AT = 500


class Journal:
    """Pending log rows of one execution, and what earlier runs of the same task left.

    Args:
        database: The store.
        tenant_id: Whose execution.
    """

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._pending: list[dict[str, Any]] = []
        self._begun: dict[tuple[str, str], tuple[int, datetime]] = {}
        self._kept: dict[tuple[str, str], Kept] = {}

    def recall(self, session: Session, execution_id: UUID, nodes: Collection[str], *, failures: bool) -> None:
        """Read what the given nodes left before, in a run that was broken off or waits.

        `failures` says whether what failed for good, and was handled by nothing, stays failed.
        """
        found = attempts.earlier(session, self._tenant_id, execution_id, nodes, failures=failures)
        for place, before in found.items():
            if before.kept is not None:
                self._kept[place] = before.kept
            elif before.first_started is not None:
                self._begun[place] = (before.attempts, before.first_started)

    def kept(self, key: NodeKey) -> Kept | None:
        """What the node left in a run that was broken off."""
        return self._kept.get((key.node_id, key.loop_index))

    def begin(self, key: NodeKey) -> tuple[int, datetime]:
        """The number of the next attempt and the moment all attempts of the node see as now."""
        place = (key.node_id, key.loop_index)
        number, first = self._begun.get(place, (0, datetime.now(UTC)))
        self._begun[place] = (number + 1, first)
        return number + 1, first

    def add(self, row: dict[str, Any], *, final: bool) -> None:
        """Keep an attempt's row; `final` where no other attempt follows."""
        self._pending.append(row)
        if final:
            self._begun.pop((row["node_id"], row["loop_index"]), None)
        if len(self._pending) >= FLUSH_AT:
            self.flush()

    def end(self, key: NodeKey) -> None:
        """Forget the attempts of a node that no other follows."""
        self._begun.pop((key.node_id, key.loop_index), None)

    def write(self, session: Session) -> int:
        """Write the pending rows in a transaction of the caller's, who drops that many once it has committed."""
        if self._pending:
            log.write_rows(session, self._pending)
        return len(self._pending)

    def drop(self, count: int) -> None:
        """Forget rows that are in the store."""
        del self._pending[:count]

    def flush(self) -> None:
        """Write the pending rows now."""
        if self._pending:
            with self._database.tenant(self._tenant_id) as session:
                count = self.write(session)
            self.drop(count)
