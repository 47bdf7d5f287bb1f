"""Limits in size and time."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from oneo.errors import NodeError, PermanentNodeError, TransientNodeError
from oneo.http import AllowList, Guard, HttpClient, OutcomeUnknownError, Request, Response
from oneo.http.decoding import Decoder, TooLargeError
from tests.http.server import Answer, RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def send(server: RecordingServer, *, client: dict[str, Any] | None = None, **fields: Any) -> Response:
    async def run() -> Response:
        async with HttpClient(Guard(AllowList.parse(server.authority)), **(client or {})) as opened:
            return await opened.send(Request(**{"method": "GET", "url": server.url(), **fields}))

    return asyncio.run(run())


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello " * 100, mtime=0)),
        ("x-gzip", gzip.compress(b"hello " * 100, mtime=0)),
        ("GZIP, identity", gzip.compress(b"hello " * 50, mtime=0) + gzip.compress(b"hello " * 50, mtime=0)),
        ("deflate", zlib.compress(b"hello " * 100)),
        ("deflate", raw_deflate(b"hello " * 100)),
        ("identity", b"hello " * 100),
    ],
)
def test_compressed_answers_are_decompressed(server: RecordingServer, encoding: str, body: bytes) -> None:
    server.on("GET", "/", Answer(body=body, headers={"Content-Encoding": encoding}))
    assert send(server, max_response_bytes=600).body_bytes == b"hello " * 100
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("gzip", b"not gzip at all", "not valid gzip"),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-9], "ends too early"),
        ("br", b"x", "was not asked for"),
        ("gzip, gzip", b"x", "was not asked for"),
    ],
)
def test_wrong_compression_is_permanent(
    server: RecordingServer, encoding: str, body: bytes, why: str
) -> None:
    server.on("GET", "/", Answer(body=body, headers={"Content-Encoding": encoding}))
    with pytest.raises(PermanentNodeError, match=why):
        send(server)


def test_an_answer_of_exactly_the_limit_passes(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(body="x" * 1000))
    assert len(send(server, max_response_bytes=1000).body_bytes) == 1000
    with pytest.raises(PermanentNodeError, match="larger than 999 bytes"):
        send(server, max_response_bytes=999)


def test_an_announced_size_over_the_limit_is_not_read(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(chunks=[b"x"], headers={"Content-Length": "99999999999"}))
    with pytest.raises(PermanentNodeError, match="raise max_response_bytes"):
        send(server)


def test_the_size_announced_to_head_is_of_no_body(server: RecordingServer) -> None:
    server.on("HEAD", "/", Answer(headers={"Content-Length": "99999999999"}))
    assert send(server, method="HEAD").body_bytes == b""


def test_an_endless_answer_is_cut_off(server: RecordingServer) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    server.on("GET", "/", Answer(chunks=endless()))
    with pytest.raises(PermanentNodeError, match="larger than 100000 bytes"):
        send(server, max_response_bytes=100_000)


def test_a_gzip_bomb_stops_early(server: RecordingServer) -> None:
    compressor = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    megabyte = bytes(1024 * 1024)
    parts = (compressor.compress(megabyte) for _ in range(100_000))  # 100 GB, made as it is read
    server.on("GET", "/", Answer(chunks=parts, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(PermanentNodeError, match="larger than"):
        send(server, max_response_bytes=1024 * 1024)
    assert server.written < 10 * 1024 * 1024


def test_decoding_never_makes_more_than_the_limit() -> None:
    bomb = gzip.compress(bytes(20 * 1024 * 1024))
    decoder = Decoder("gzip", 1000)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        decoder.feed(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1024 * 1024


def test_a_silent_server_hits_the_deadline(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(delay=30))
    with pytest.raises(OutcomeUnknownError, match=r"no complete answer within 0\.1 seconds"):
        send(server, timeout_seconds=0.1)


def test_a_dripping_answer_hits_the_deadline(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(chunks=[b"x"] * 1000, chunk_delay=0.02))
    start = time.monotonic()
    with pytest.raises(OutcomeUnknownError, match="no complete answer"):
        send(server, timeout_seconds=0.2, client={"read_timeout": 5})
    assert time.monotonic() - start < 1


def test_redirects_share_the_deadline(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(status=302, headers={"Location": "/"}, delay=0.08))
    with pytest.raises(OutcomeUnknownError, match="no complete answer"):
        send(server, timeout_seconds=0.2, max_redirects=50)


def test_a_pause_between_bytes_hits_the_read_timeout(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(chunks=[b"x", b"y"], chunk_delay=30))
    with pytest.raises(OutcomeUnknownError, match="did not go on in time"):
        send(server, client={"read_timeout": 0.1})


@pytest.mark.parametrize(("connect_timeout", "deadline"), [(0.1, 30.0), (30.0, 0.1)])
def test_a_slow_look_up_is_a_timeout_with_nothing_sent(connect_timeout: float, deadline: float) -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async def run() -> None:
        guard = Guard(AllowList(), resolver=never)
        async with HttpClient(guard, connect_timeout=connect_timeout) as client:
            await client.send(Request(method="GET", url="http://slow.example", timeout_seconds=deadline))

    with pytest.raises(TransientNodeError, match=r"in time|within") as caught:
        asyncio.run(run())
    assert not isinstance(caught.value, OutcomeUnknownError)


def test_cancelling_from_outside_is_not_a_timeout(server: RecordingServer) -> None:
    server.on("GET", "/", Answer(delay=30))

    async def run() -> None:
        async with HttpClient(Guard(AllowList.parse(server.authority))) as client:
            task = asyncio.create_task(client.send(Request(method="GET", url=server.url())))
            await asyncio.to_thread(server.wait_for, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_many_requests_at_once(server: RecordingServer) -> None:
    together = threading.Barrier(10)

    def meet(_request: Any) -> Answer:
        together.wait(5)
        return Answer(body={"ok": True})

    server.on("GET", "/", meet)

    async def run() -> list[Response]:
        async with HttpClient(Guard(AllowList.parse(server.authority))) as client:
            request = Request(method="GET", url=server.url())
            return await asyncio.gather(*(client.send(request) for _ in range(10)))

    assert [response.data for response in asyncio.run(run())] == [{"ok": True}] * 10


def test_every_failure_is_a_node_error() -> None:
    assert issubclass(OutcomeUnknownError, TransientNodeError)
    assert issubclass(TransientNodeError, NodeError)
