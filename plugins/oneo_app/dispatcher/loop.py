"""The dispatcher's loop: work while there is any, then wait to be told of more."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from oneo.database import Database
from oneo.errors import InfrastructureError
from oneo.store import tenants, workflows
from oneo_app.dispatcher import airflow_runs
from oneo_app.dispatcher.finishing import finish_ended, sweep
from oneo_app.dispatcher.housekeeping import remove_old_events
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.measuring import Measuring
from oneo_app.dispatcher.reminding import expire_approvals, release_due
from oneo_app.dispatcher.starting import start_next
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.waiting import fire_timers, show_existing, start_gathered
from oneo_app.pools import keep_pools

logger = logging.getLogger(__name__)

CHANNEL = "oneo_work"
# Delayed executions fall due without a notification; this bounds how late they start.
IDLE_SECONDS = 0.5
# While a publish waits to be taken up by Airflow, nothing notifies us of it.
PUBLISHING_SECONDS = 0.1
# How late what becomes due may be noticed while there is other work.
CLOCK_SECONDS = 0.2
SWEEP_SECONDS = 15.0
SWEEP_AGE_SECONDS = 20.0
STARTS_PER_ROUND = 20
TIDY_SECONDS = 3600.0


class Dispatcher:
    """One dispatcher process.

    Args:
        database: The store.
        ready_file: Touched once the loop runs.
    """

    def __init__(self, database: Database, ready_file: Path | None = None) -> None:
        self.database = database
        self.ready_file = ready_file
        self._index = TriggerIndex()
        self._measuring = Measuring(database)
        self._stopping = False
        self._awaiting = False
        self._served = ""
        self._looked = 0.0
        self._swept = time.monotonic()
        # Also soon after the start: one that is started anew every day has to tidy, too.
        self._tidied = self._swept - TIDY_SECONDS

    def run(self) -> None:
        """Work until told to stop; a database that is down for a while is waited for."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        while not self._stopping:
            try:
                self._serve()
            except (SQLAlchemyError, psycopg.Error, InfrastructureError) as error:
                logger.warning("the database does not answer, trying again in 1 s: %s", error)
                self.database.dispose()
                time.sleep(1)

    def _serve(self) -> None:
        with self.database.listen(CHANNEL) as connection:
            if self.ready_file is not None:
                self.ready_file.touch()
            while not self._stopping:
                busy = self._round()
                if busy:
                    continue
                wait = PUBLISHING_SECONDS if self._awaiting else IDLE_SECONDS
                for _ in connection.notifies(timeout=wait, stop_after=1):
                    pass

    def _round(self) -> bool:
        """One round over all kinds of work; returns whether there was any."""
        self._give_pools()
        self._awaiting = self._take_up_published()
        steps: list[Callable[[], int | bool]] = [
            lambda: match_events(self.database, self._index),
            self._start_some,
            lambda: finish_ended(self.database),
        ]
        busy = False
        if time.monotonic() - self._looked > CLOCK_SECONDS:
            self._looked = time.monotonic()
            steps = [*self._by_the_clock(), *steps]
        for step in steps:
            busy = bool(step()) or busy
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            keep_pools(self.database)
            self._measuring.begin()
            missed = sweep(self.database, older_than_seconds=SWEEP_AGE_SECONDS)
            if missed:
                logger.info("%d execution(s) had ended without notice", missed)
        # Only some at a time, in between all other work.
        if time.monotonic() - self._tidied > TIDY_SECONDS and not remove_old_events(self.database):
            self._tidied = time.monotonic()
        return busy

    def _by_the_clock(self) -> list[Callable[[], int | bool]]:
        """What becomes due by itself, or need not be done at once: not looked for in every round of a busy time."""
        return [
            lambda: fire_timers(self.database),
            lambda: start_gathered(self.database, self._index),
            lambda: show_existing(self.database, self._index),
            lambda: release_due(self.database),
            lambda: expire_approvals(self.database),
        ]

    def _give_pools(self) -> None:
        """Give new tenants their pool at once: their first workflow is about to be rendered."""
        with self.database.system() as session:
            lacking = tenants.lacks_pool(session)
        if lacking:
            keep_pools(self.database)

    def _start_some(self) -> bool:
        """Start what is due, but not so much that other work waits for long."""
        for started in range(STARTS_PER_ROUND):
            served = None if self._stopping else start_next(self.database, self._served)
            if served is None:
                return started > 0
            self._served = served
        return True

    def _take_up_published(self) -> bool:
        """Note which published versions Airflow runs by now; returns whether some are still awaited."""
        with self.database.system() as session:
            awaiting = workflows.awaiting_airflow(session)
            wanted = {workflows.dag_id(row.tenant_id, row.id): row for row in awaiting}
            live = airflow_runs.live_versions({dag_id: row.version for dag_id, row in wanted.items()})
            for dag_id in live:
                row = wanted[dag_id]
                workflows.mark_live(session, row.tenant_id, row.id, row.version)
        return len(live) < len(wanted)

    def _stop(self, *_: object) -> None:
        self._stopping = True
