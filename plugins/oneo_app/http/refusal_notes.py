"""Refused requests are counted in the store, but none of them makes it work much."""

from __future__ import annotations

import threading
import time

from oneo.database import database
from oneo.store import hook_refusals

# A flood of bad requests costs one small write in this time for each hook and reason.
SECONDS = 1.0


class RefusalNotes:
    """Writes down how often hooks refused, for each reason: the first at once, those right after it together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str, str], int] = {}
        self._written: dict[tuple[str, str, str], float] = {}

    def note(self, tenant_id: str, path: str, code: str, message: str) -> None:
        """Count a refusal. The message holds nothing that a sender has written."""
        key = (tenant_id, path, code)
        with self._lock:
            times = self._pending.get(key, 0) + 1
            if time.monotonic() - self._written.get(key, float("-inf")) < SECONDS:
                self._pending[key] = times
                return
            self._pending[key] = 0
            self._written[key] = time.monotonic()
        with database().tenant(tenant_id, durable=False) as session:
            hook_refusals.note(session, tenant_id, path, code, message, times)
