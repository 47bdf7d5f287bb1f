"""Triggers that look for something whenever there is news of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from sqlalchemy.exc import SQLAlchemyError

from oneo.database import Database, database, plain_json
from oneo.errors import InfrastructureError
from oneo_operators.event_notices import notices

logger = logging.getLogger(__name__)

# A look without news, for the time in which there was no connection to be told by.
LOOK_AGAIN_SECONDS = 30.0


class NewsTrigger(BaseTrigger):
    """Fires with what it finds, once it finds something.

    All that it knows is what it is made with: a triggerer that is started again goes on from there.

    Args:
        **arguments: What it is made with, as JSON.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments

    def look(self, store: Database) -> dict[str, Any] | None:
        """What there is to fire with; None where there is nothing so far."""
        raise NotImplementedError

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        return f"{type(self).__module__}.{type(self).__name__}", self.arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for it."""
        async with notices(database()) as news:
            while True:
                seen = news.count
                found = await self._look()
                if found is not None:
                    break
                await news.more_than(seen, LOOK_AGAIN_SECONDS)
        yield TriggerEvent(plain_json(found))

    async def _look(self) -> dict[str, Any] | None:
        try:
            # The store waits for its database: not in the loop that all triggers share.
            return await asyncio.to_thread(self.look, database())
        except (SQLAlchemyError, InfrastructureError) as error:
            logger.warning("the database does not answer, looking again later: %s", error)
            return None
