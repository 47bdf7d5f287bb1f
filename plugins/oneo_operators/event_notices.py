"""Being told of new events: one connection of a process for all that wait in its event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from weakref import WeakKeyDictionary

import psycopg

from oneo.database import Database
from oneo.errors import InfrastructureError

logger = logging.getLogger(__name__)

CHANNEL = "oneo_work"
# What else the channel tells is of no interest here.
_OF_EVENTS = ("record_event", "inbox")
_CONNECT_AGAIN_SECONDS = 1.0


class Notices:
    """Counts how often there was news of events, of whichever tenant."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        self.users = 0
        self._database = database
        self._news = asyncio.Condition()
        self._listening: asyncio.Task[None] | None = None

    async def more_than(self, count: int, timeout_seconds: float) -> bool:
        """Wait until there was news more than `count` times; returns whether there was within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._news:
                await self._news.wait_for(lambda: self.count > count)
        return self.count > count

    def start(self) -> None:
        """Listen from now on."""
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Give up the connection."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self) -> None:
        while True:
            try:
                async with await self._database.listen_async(CHANNEL) as connection:
                    # Of what came before this connection listened, nobody was told.
                    await self._tell()
                    async for notice in connection.notifies():
                        if notice.payload in _OF_EVENTS:
                            await self._tell()
            except (psycopg.Error, InfrastructureError) as error:
                logger.warning("no news of events, connecting again in 1 s: %s", error)
                await asyncio.sleep(_CONNECT_AGAIN_SECONDS)

    async def _tell(self) -> None:
        async with self._news:
            self.count += 1
            self._news.notify_all()


_OF_LOOP: WeakKeyDictionary[asyncio.AbstractEventLoop, Notices] = WeakKeyDictionary()


@asynccontextmanager
async def notices(database: Database) -> AsyncIterator[Notices]:
    """The notices of this event loop; its connection is there while anybody uses them."""
    loop = asyncio.get_running_loop()
    shared = _OF_LOOP.get(loop)
    if shared is None:
        shared = _OF_LOOP[loop] = Notices(database)
        shared.start()
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if shared.users == 0:
            del _OF_LOOP[loop]
            await shared.stop()
