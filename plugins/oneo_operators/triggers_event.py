"""What a deferred sensor leaves with Airflow's triggerer: the wait for an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oneo.database import Database
from oneo_operators.event_watch import EventWatch
from oneo_operators.triggers_news import NewsTrigger


class EventTrigger(NewsTrigger):
    """Fires with the trigger data of the first event that fits.

    Args:
        tenant: Whose events.
        kinds: Their kinds.
        topics: Their pipelines or names; `*` for all.
        filters: What the record, or the data of an application's event, must fit.
        since: Only events with greater numbers.
    """

    def __init__(
        self,
        tenant: str,
        kinds: Sequence[str],
        topics: Sequence[str],
        filters: Mapping[str, Any],
        since: int,
    ) -> None:
        super().__init__(
            tenant=tenant, kinds=list(kinds), topics=list(topics), filters=dict(filters), since=since
        )
        self._watch = EventWatch(tenant, kinds, topics, filters, since)

    def look(self, store: Database) -> dict[str, Any] | None:
        """The event's trigger data."""
        found = self._watch.look(store)
        return None if found is None else found.trigger_data()
