"""The triggers that a request may be meant for, as they are published now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from oneo.database import Database, database
from oneo_app.dispatcher.trigger_index import Candidate, TriggerIndex


class CurrentTriggers:
    """The triggers in memory, never older than the request that asks for them.

    Whether something was published since is one small query, and requests that wait for the answer share it: it is
    good for everyone who came before it was asked.
    """

    def __init__(self) -> None:
        self._index = TriggerIndex()
        self._lock = asyncio.Lock()
        self._of: Database | None = None
        self._asked = 0.0

    async def watching(self, tenant_id: str, kind: str, topic: str) -> Sequence[Candidate]:
        """The triggers of a topic; those of an unknown tenant are as many as those of an unknown topic: none."""
        came = time.monotonic()
        async with self._lock:
            if self._asked <= came or self._of is not database():
                asked = time.monotonic()
                await run_in_threadpool(self._refresh)
                self._asked = asked
        return self._index.watching(tenant_id, kind, topic)

    def _refresh(self) -> None:
        if self._of is not database():
            self._of, self._index = database(), TriggerIndex()
        with database().system() as session:
            self._index.refresh(session)
