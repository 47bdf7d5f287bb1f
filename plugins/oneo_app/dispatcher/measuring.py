"""Counting what tenants with a quota of storage keep, beside all other work."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Thread

from oneo.database import Database
from oneo.store import storage

logger = logging.getLogger(__name__)

# What nobody asks for room for, as log rows and large results, counts this much later.
EVERY = timedelta(minutes=10)


def measure_due(database: Database) -> int:
    """Count what each tenant keeps whose figure is old; returns how many tenants there were."""
    count = 0
    while True:
        with database.system() as session:
            tenant_id = storage.due(session, EVERY)
        if tenant_id is None:
            return count
        with database.removal(tenant_id) as session:
            storage.measure(session, tenant_id)
        count += 1


class Measuring:
    """Counts in a thread: a large tenant's rows take seconds, an object store far away even more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Begin, unless the last time is not over yet."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._measure, name="measuring", daemon=True)
            self._thread.start()

    def _measure(self) -> None:
        try:
            measure_due(self._database)
        except Exception:
            # What cannot be counted must not stop the work; it is tried again.
            logger.exception("what tenants keep was not counted")
