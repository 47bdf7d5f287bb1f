"""Tables that are watched: their database says when something changes, or they are looked at."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from threading import Event, Thread

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from oneo.database import Database
from oneo.errors import OneoError
from oneo.sql_table.capture import CHANNEL
from oneo.sql_table.database import TableDatabase
from oneo_app.capture.taking import Captured, clean, of_all, reached, take
from oneo_operators.services import Vault

logger = logging.getLogger(__name__)

# A notice that nobody heard, say of a lost connection, is late by this at most.
LISTEN_SECONDS = 30.0
# A pipeline that is applied while this runs counts after this long.
LOOK_AGAIN_SECONDS = 5.0
CLEAN_SECONDS = 3600.0
# How soon a watch that is told to stop does.
STEP_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0


def watch_all(store: Database, vault: Vault, stop: Event) -> None:
    """Watch the tables of all captured pipelines until told to stop, each in a thread of its own."""
    watches: dict[tuple[str, str], tuple[Thread, Event]] = {}
    while not stop.is_set():
        try:
            wanted = {one.identity: one for one in of_all(store)}
        except (OneoError, SQLAlchemyError) as error:
            logger.warning("pipelines cannot be read, trying again: %s", error)
            stop.wait(LOOK_AGAIN_SECONDS)
            continue
        for gone in watches.keys() - wanted.keys():
            watches.pop(gone)[1].set()
        for identity in wanted.keys() - watches.keys():
            one, end = wanted[identity], Event()
            thread = Thread(target=watch, args=(store, vault, one, end), name=one.name)
            watches[identity] = (thread, end)
            thread.start()
        stop.wait(LOOK_AGAIN_SECONDS)
    for _, end in watches.values():
        end.set()
    for thread, _ in watches.values():
        thread.join()


def watch(
    store: Database, vault: Vault, one: Captured, stop: Event, *, tell: Callable[[int], None] = lambda _: None
) -> None:
    """Take in the changes of a pipeline's table as they come, until told to stop.

    A database that does not answer is asked again, ever more seldom.

    Args:
        store: Our store.
        vault: Where its connection is.
        one: The pipeline.
        stop: Set from outside.
        tell: Called with how many events there were, each time there were some.
    """
    wait = STEP_SECONDS
    while not stop.is_set():
        try:
            there = reached(vault, one.tenant_id, one.layout.source)
            with nullcontext() if one.polls else there.listen(CHANNEL) as connection:
                cleaned = 0.0
                while not stop.is_set():
                    if count := take(store, there, one):
                        tell(count)
                    wait = STEP_SECONDS
                    if time.monotonic() - cleaned > CLEAN_SECONDS:
                        cleaned = time.monotonic()
                        _clean(there, one)
                    _until_change(connection, one, stop)
        except Exception as error:
            # Whatever it is: a table that nobody watches any more would not be missed by anybody.
            known = isinstance(error, OneoError | SQLAlchemyError | psycopg.Error)
            logger.warning("%s, trying again in %.0f s: %s", one.name, wait, error, exc_info=not known)
            stop.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def watch_until_interrupted(
    store: Database, vault: Vault, found: list[Captured], tell: Callable[[Captured, int], None]
) -> None:
    """The same for several pipelines, until Ctrl-C."""
    stop = Event()

    def start(one: Captured) -> Thread:
        told = {"tell": lambda count: tell(one, count)}
        thread = Thread(target=watch, args=(store, vault, one, stop), kwargs=told)
        thread.start()
        return thread

    threads = [start(one) for one in found]
    with suppress(KeyboardInterrupt):
        for thread in threads:
            thread.join()
    stop.set()
    for thread in threads:
        thread.join()


def _clean(there: TableDatabase, one: Captured) -> None:
    try:
        clean(there, one)
    except (OneoError, SQLAlchemyError) as error:
        logger.warning("%s: what was done long ago is kept: %s", one.name, error)


def _until_change(
    connection: psycopg.Connection[tuple[object, ...]] | None, one: Captured, stop: Event
) -> None:
    if connection is None:
        stop.wait(one.layout.source.poll_seconds)
        return
    until = time.monotonic() + LISTEN_SECONDS
    while not stop.is_set() and time.monotonic() < until:
        for notice in connection.notifies(timeout=STEP_SECONDS, stop_after=1):
            if notice.payload == one.name:
                return
