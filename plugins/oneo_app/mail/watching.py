"""Mailboxes that are watched: the server says when mail comes (IDLE), or is asked where it cannot."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from imap_tools import BaseMailBox
from sqlalchemy.exc import SQLAlchemyError

from oneo.database import Database
from oneo.errors import OneoError
from oneo_app.mail.access import Access, opened
from oneo_app.mail.fetching import Fetched, take

logger = logging.getLogger(__name__)

# A notice that comes in the very moment in which waiting begins may be overheard: this bounds how late it is.
IDLE_SECONDS = 30.0
ASK_SECONDS = 60.0
# How soon a watch that is told to stop does.
STEP_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0


def watch(
    database: Database,
    box: Access,
    stop: Event,
    *,
    everything: bool = False,
    tell: Callable[[Fetched], None] = lambda _: None,
) -> None:
    """Take in what comes until told to stop; a server that does not answer is asked again, ever more seldom.

    Args:
        database: The store.
        box: The mailbox.
        stop: Set from outside.
        everything: At the first time, also what is there already.
        tell: Called with what was taken in, each time.
    """
    wait = STEP_SECONDS
    while not stop.is_set():
        try:
            with opened(box) as mailbox:
                while not stop.is_set():
                    tell(take(database, box, mailbox, everything=everything))
                    wait = STEP_SECONDS
                    _until_mail(mailbox, stop)
        except Exception as error:
            # Whatever it is: a mailbox that nobody watches any more would not be missed by anybody.
            known = isinstance(error, OneoError | SQLAlchemyError)
            where = (box.tenant_id, box.name)
            logger.warning(
                "tenant %s, mailbox %s, trying again in %.0f s: %s", *where, wait, error, exc_info=not known
            )
            stop.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def watch_until_interrupted(
    database: Database, box: Access, *, everything: bool, tell: Callable[[Fetched], None]
) -> None:
    """The same until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        watch(database, box, Event(), everything=everything, tell=tell)


def _until_mail(mailbox: BaseMailBox, stop: Event) -> None:
    if "IDLE" not in mailbox.client.capabilities:
        stop.wait(ASK_SECONDS)
        return
    until = time.monotonic() + IDLE_SECONDS
    with mailbox.idle as idle:
        while not stop.is_set() and time.monotonic() < until:
            asked = time.monotonic()
            if idle.poll(STEP_SECONDS):
                return
            if time.monotonic() - asked < STEP_SECONDS / 2:
                # Nothing, and yet no wait: the connection has ended.
                raise ConnectionResetError("the connection was closed")
