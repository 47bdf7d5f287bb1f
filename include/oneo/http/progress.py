"""How far a request got: what makes the difference between "try again" and "find out first"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Progress:
    """Whether anything has been sent yet, over all hops of a request."""

    sent: bool = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Told by httpcore about each step."""
        del info
        self.sent = self.sent or event.endswith(".send_request_headers.started")
