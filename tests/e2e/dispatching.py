"""A dispatcher's steps in a process of their own, without Airflow, that can be told to die at a point of its work."""

from __future__ import annotations

import os
import signal
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo_app.dispatcher.loop import CHANNEL
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.waiting import fire_timers, start_gathered

# In the middle of a transaction that queues executions, before its commit, and when it has been committed.
FAIL_POINTS = ("inserting", "committing", "committed")
IDLE_SECONDS = 0.1

# Loading the node types takes seconds, forking milliseconds: a killed process is replaced at once.
_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def start(url: str, fail_point: str | None = None) -> BaseProcess:
    """A process that dispatches until it is killed; `fail_point` is e.g. `committing:3`, the third such moment."""
    process = _PROCESSES.Process(target=dispatch, args=(url, fail_point), daemon=True)
    process.start()
    return process


def dispatch(url: str, fail_point: str | None) -> None:
    """Handle events, moments and gatherings for ever."""
    database = Database(url)
    if fail_point is not None:
        _die_at(database, *fail_point.split(":"))
    index = TriggerIndex()
    with database.listen(CHANNEL) as connection:
        while True:
            busy = [fire_timers(database), match_events(database, index), start_gathered(database, index)]
            if not any(busy):
                list(connection.notifies(timeout=IDLE_SECONDS, stop_after=1))


def _die_at(database: Database, point: str, times: str) -> None:
    left = int(times)

    def pass_by() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(database.engine("oneo_system"), "after_cursor_execute")
    def executed(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO executions"):
            connection.info["queued"] = True
            if point == "inserting":
                pass_by()

    @event.listens_for(database.engine("oneo_system"), "commit")
    def committing(connection: Any) -> None:
        connection.info["committed"] = connection.info.pop("queued", False)
        if point == "committing" and connection.info["committed"]:
            pass_by()

    @event.listens_for(Session, "before_commit")
    def remember(session: Session) -> None:
        session.info["connection"] = session.connection().info

    @event.listens_for(Session, "after_commit")
    def committed(session: Session) -> None:
        if point == "committed" and session.info.pop("connection", {}).pop("committed", False):
            pass_by()
