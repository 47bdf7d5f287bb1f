"""Whether each part of the stack does its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from oneo_app.stack import postgres
from oneo_app.stack.layout import Layout

_CACHED_SECONDS = 0.3


class AirflowHealth:
    """What the api-server says about itself and others, asked at most a few times a second.

    Args:
        base_url: Address of the api-server.
    """

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/api/v2/monitor/health"
        self._asked = 0.0
        self._answer: dict[str, Any] = {}
        self._one_at_a_time = asyncio.Lock()

    async def api_server(self, _since: float) -> bool:
        """Whether the api-server answers and reaches its database."""
        answer = await self._ask()
        return bool(answer.get("metadatabase", {}).get("status") == "healthy")

    def job(self, name: str) -> Callable[[float], Awaitable[bool]]:
        """The check of a component by its name in the answer, e.g. `dag_processor`."""

        async def is_ready(since: float) -> bool:
            part = (await self._ask()).get(name, {})
            beat = part.get(f"latest_{name}_heartbeat")
            # The predecessor of a restarted component counts as healthy for some more seconds.
            fresh = beat is not None and datetime.fromisoformat(beat).timestamp() >= since
            return bool(part.get("status") == "healthy" and fresh)

        return is_ready

    async def _ask(self) -> dict[str, Any]:
        async with self._one_at_a_time:
            if time.monotonic() - self._asked > _CACHED_SECONDS:
                self._answer = await self._fetch()
                self._asked = time.monotonic()
        return self._answer

    async def _fetch(self) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
                return dict(answer.json())
        except (httpx.HTTPError, ValueError):
            return {}


def postgres_answers(where: Layout) -> Callable[[float], Awaitable[bool]]:
    """The check of the embedded PostgreSQL."""

    async def is_ready(_since: float) -> bool:
        return await asyncio.to_thread(postgres.answers, where)

    return is_ready


def file_touched(path: Path) -> Callable[[float], Awaitable[bool]]:
    """The check of a process that touches a file once it is ready."""

    async def is_ready(since: float) -> bool:
        return _touched(path, since)

    return is_ready


def _touched(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime >= int(since)  # some file systems keep whole seconds only
    except FileNotFoundError:
        return False
