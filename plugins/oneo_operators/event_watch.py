"""Looking through a tenant's events, from one on, for the first that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.events import Event
from oneo.filters import matches, parse
from oneo.store import event_log
from oneo.store.emitting import APP

_PAGE = 500


class EventWatch:
    """The search for an event; it never reads twice what it need not, and never passes one over.

    Args:
        tenant_id: Whose events.
        kinds: Their kinds.
        topics: Their pipelines or names; `*` for all.
        filters: What the record, or the data of an application's event, must fit.
        since: Only events with greater numbers.
    """

    def __init__(
        self,
        tenant_id: str,
        kinds: Sequence[str],
        topics: Sequence[str],
        filters: Mapping[str, Any],
        since: int,
    ) -> None:
        self._tenant_id = tenant_id
        self._kinds = kinds
        self._topics = topics
        self._clauses = parse(filters)
        # All up to here are known; up to `_newest` they are, once these writers have ended.
        self._known = self._newest = since
        self._writers: frozenset[str] = frozenset()

    def look(self, database: Database) -> Event | None:
        """The first event that fits; None where there is none so far."""
        with database.tenant(self._tenant_id) as session:
            settled = self._newest > self._known and not self._writers & event_log.writers(session)
            newest = event_log.newest_id(session)
            found = next((event for event in self._new(session) if self._fits(event)), None)
            if settled:
                self._known = self._newest
            if newest > self._newest == self._known:
                self._newest, self._writers = newest, event_log.writers(session)
        return found

    def _new(self, session: Session) -> Iterator[Event]:
        last = self._known
        while True:
            found = event_log.after(session, last, self._kinds, self._topics, _PAGE)
            yield from found
            if len(found) < _PAGE:
                return
            last = found[-1].id

    def _fits(self, event: Event) -> bool:
        held = event.data if event.kind == APP else event.record
        return matches(self._clauses, held) is None
