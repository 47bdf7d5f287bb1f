"""What comes in becomes an event before its sender gets an answer; what comes in together is committed together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from oneo.database import database
from oneo.errors import InfrastructureError
from oneo.store import inbox

BATCH = 100


@dataclass(frozen=True)
class Incoming:
    """An event to be; see `oneo.store.inbox.put`."""

    tenant_id: str
    kind: str
    topic: str
    data: Mapping[str, Any]
    key: str | None = None


@dataclass(frozen=True)
class Accepted:
    """An event that is committed; `known` says that it was before."""

    event_id: int
    known: bool


class Intake:
    """Commits events. Those that come while a commit is under way share the next one: its cost is the same for all."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Incoming, asyncio.Future[Accepted]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, incoming: Incoming) -> Accepted:
        """Make an event; it is committed when this returns.

        Raises:
            InfrastructureError: The database does not answer.
        """
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                outcomes = await run_in_threadpool(_commit, [incoming for incoming, _ in taken])
                for (_, future), outcome in zip(taken, outcomes, strict=True):
                    # A sender that has hung up waits no more.
                    if future.done():
                        continue
                    if isinstance(outcome, Accepted):
                        future.set_result(outcome)
                    else:
                        future.set_exception(outcome)
        finally:
            self._writing = None


def _commit(batch: Sequence[Incoming]) -> list[Accepted | Exception]:
    """One transaction for each tenant; in the batch's order."""
    outcomes: dict[int, Accepted | Exception] = {}
    order = sorted(range(len(batch)), key=lambda index: batch[index].tenant_id)
    for _, indexes in groupby(order, key=lambda index: batch[index].tenant_id):
        own = list(indexes)
        outcomes.update(zip(own, _commit_together([batch[index] for index in own]), strict=True))
    return [outcomes[index] for index in range(len(batch))]


def _commit_together(batch: Sequence[Incoming]) -> Sequence[Accepted | Exception]:
    try:
        with database().tenant(batch[0].tenant_id) as session:
            return [_put(session, incoming) for incoming in batch]
    except Exception as error:
        if len(batch) == 1 or isinstance(error, InfrastructureError | OperationalError):
            return [error] * len(batch)
        # One that cannot be kept does not take the others along.
        return [outcome for incoming in batch for outcome in _commit_together([incoming])]


def _put(session: Session, incoming: Incoming) -> Accepted:
    where = (incoming.tenant_id, incoming.kind, incoming.topic)
    event_id = inbox.put(session, *where, incoming.data, key=incoming.key)
    if event_id is not None:
        return Accepted(event_id, known=False)
    known = inbox.find(session, *where, incoming.key or "")
    if known is None:
        raise InfrastructureError("the event that came before is no longer kept", hint="send it again")
    return Accepted(known, known=True)
