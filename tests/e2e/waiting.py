"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(look: Callable[[], Any], what: str, timeout: float = 90) -> Any:
    """What `look` gives once it gives something."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {timeout} s in vain for {what}")
