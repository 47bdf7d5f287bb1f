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
        # All up to here are known. Up to `_newest` they will be, once every transaction before `_open_until` has ended.
        self._known = since
        self._newest: int | None = None
        self._open_until = 0

    def look(self, database: Database) -> Event | None:
        """The first event that fits; None where there is none so far."""
        with database.tenant(self._tenant_id) as session:
            oldest_open, _ = event_log.snapshot(session)
            newest = event_log.newest_id(session)
            found = next((event for event in self._new(session) if self._fits(event)), None)
            _, next_to_come = event_log.snapshot(session)
        if self._newest is not None and oldest_open >= self._open_until:
            self._known, self._newest = self._newest, None
        if self._newest is None:
            self._newest, self._open_until = max(newest, self._known), next_to_come
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
