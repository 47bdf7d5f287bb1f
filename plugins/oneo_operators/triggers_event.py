"""What a deferred sensor leaves with Airflow's triggerer: the wait for an event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from sqlalchemy.exc import SQLAlchemyError

from oneo.database import database, plain_json
from oneo.errors import InfrastructureError
from oneo.events import Event
from oneo_operators.event_notices import notices
from oneo_operators.event_watch import EventWatch

logger = logging.getLogger(__name__)

# A look without news, for the time in which there was no connection to be told by.
LOOK_AGAIN_SECONDS = 30.0


class EventTrigger(BaseTrigger):
    """Fires with the trigger data of the first event that fits.

    All that it knows is what it is made with: a triggerer that is started again goes on from there.

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
        super().__init__()
        self.arguments: dict[str, Any] = {
            "tenant": tenant,
            "kinds": list(kinds),
            "topics": list(topics),
            "filters": dict(filters),
            "since": since,
        }
        self._watch = EventWatch(tenant, kinds, topics, filters, since)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        return f"{__name__}.{type(self).__name__}", self.arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the event."""
        store = database()
        async with notices(store) as news:
            while True:
                seen = news.count
                found = await self._look()
                if found is not None:
                    break
                await news.more_than(seen, LOOK_AGAIN_SECONDS)
        yield TriggerEvent(plain_json(found.trigger_data()))

    async def _look(self) -> Event | None:
        try:
            # The store waits for its database: not in the loop that all triggers share.
            return await asyncio.to_thread(self._watch.look, database())
        except (SQLAlchemyError, InfrastructureError) as error:
            logger.warning("the database does not answer, looking again later: %s", error)
            return None
