"""Connections that go to a checked address and nowhere else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from oneo.http.guard import Guard


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses the guard has checked.

    Sits below the connection pool, so that there is no way around it; the pool keeps the name for the `Host`
    header, for SNI and for the certificate.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, and connect to the first address that answers."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._guard.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
        for left in range(len(addresses), 0, -1):
            share = None
            if timeout is not None:  # a dead first address must not use up the time of the second
                share = max(timeout - (time.monotonic() - start), 0.001) / left
            try:
                return await self._inner.connect_tcp(
                    str(addresses[-left]), port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("unreachable: the guard returns at least one address")
