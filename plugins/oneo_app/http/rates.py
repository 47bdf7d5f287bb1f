"""How often somebody may do something; counted in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Rates:
    """Counts per minute, of the keys that came last.

    Args:
        clock: Seconds that only ever grow.
        most_keys: Of more keys at a time, the oldest is forgotten: no flood of keys fills the memory.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_keys: int = 50_000) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._counts: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def wait(self, key: Hashable, limit: int) -> int:
        """Count one more; the seconds until it is allowed, 0 where it is."""
        now = self._clock()
        since, count = self._counts.pop(key, (now, 0))
        if now - since >= 60:
            since, count = now, 0
        self._counts[key] = (since, count + 1)
        if len(self._counts) > self._most_keys:
            self._counts.popitem(last=False)
        return 0 if count < limit else int(60 - (now - since)) + 1
