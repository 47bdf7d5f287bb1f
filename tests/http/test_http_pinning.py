"""Connections go to the address that was checked, and only where they may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from oneo.errors import ConfigError
from oneo.http import AllowList, Guard, HttpClient, Request
from oneo.http.network import PinnedBackend
from tests.http.server import Answer, RecordingServer
from tests.http.support import FakeDns, allowing, send

PUBLIC = "93.184.215.14"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


class ConnectionLog(httpcore.AsyncNetworkBackend):
    """Stands where sockets are opened, so that a public address can be "connected to" without a network."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.opened.append((host, port))
        if host == "192.0.77.1":
            raise httpcore.ConnectError("unreachable")
        return httpcore.AsyncMockStream([])


def pinned(dns: FakeDns) -> tuple[PinnedBackend, ConnectionLog]:
    backend, log = PinnedBackend(Guard(AllowList(), resolver=dns)), ConnectionLog()
    backend._inner = log  # type: ignore[assignment]
    return backend, log


def test_rebinding_cannot_move_a_connection() -> None:
    dns = FakeDns(rebind_example=[[PUBLIC], ["127.0.0.1"]])
    backend, log = pinned(dns)
    asyncio.run(backend.connect_tcp("rebind.example", 80, 5))
    assert log.opened == [(PUBLIC, 80)]  # the address that was checked, not the name
    assert dns.asked == ["rebind.example"]
    with pytest.raises(ConfigError, match=r"resolves to 127\.0\.0\.1, which is a loopback address"):
        asyncio.run(backend.connect_tcp("rebind.example", 80, 5))
    assert len(log.opened) == 1


def test_a_request_resolves_once_per_connection_and_keeps_the_name(server: RecordingServer) -> None:
    server.on("GET", "/", Answer())
    dns = FakeDns(crm_example=[["127.0.0.1"], ["127.0.0.2"]])

    async def run() -> None:
        async with HttpClient(allowing(server, resolver=dns)) as client:
            for _ in range(2):
                await client.send(Request(method="GET", url=server.url("/", host="crm.example")))

    asyncio.run(run())
    assert dns.asked == ["crm.example"]
    assert server.connections == 1
    assert [request.headers["host"] for request in server.requests] == [f"crm.example:{server.port}"] * 2


def test_the_next_address_is_tried_where_one_is_down() -> None:
    backend, log = pinned(FakeDns(two_example=[["192.0.77.1", PUBLIC]]))
    asyncio.run(backend.connect_tcp("two.example", 80, 5))
    assert log.opened == [("192.0.77.1", 80), (PUBLIC, 80)]
    backend, log = pinned(FakeDns(down_example=[["192.0.77.1"]]))
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(backend.connect_tcp("down.example", 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_is_refused_without_allow_list(server: RecordingServer, host: str) -> None:
    with pytest.raises(ConfigError, match="ONEO_HTTP_ALLOW"):
        send(Guard(AllowList()), server.url("/", host=host))
    assert server.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "127.1", "0x7f.1"])
def test_unusual_ipv4_is_refused_even_where_loopback_is_open(server: RecordingServer, host: str) -> None:
    with pytest.raises(ConfigError, match="unusual notation"):
        send(Guard(AllowList.parse("127.0.0.1")), server.url("/", host=host))
    assert server.connections == 0


def test_the_allow_list_opens_one_port_only(server: RecordingServer) -> None:
    server.on("GET", "/", Answer())
    with RecordingServer() as other:
        assert send(allowing(server), server.url()).status == 200
        with pytest.raises(ConfigError, match="loopback"):
            send(allowing(server), other.url())
        assert other.connections == 0
