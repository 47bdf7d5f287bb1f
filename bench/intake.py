"""How many webhooks are taken in, each committed before its answer; needs no stack."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from bench.measure import Measurement
from dag_factory.publish import publish
from oneo.database import Database, migrate
from oneo_app.stack import embedded_postgres
from oneo_operators.catalogue import catalogue

TENANT = "bench"
SECRET = "of the measurement"
PER_SECOND = 200
SECONDS = 15
WARM_UP_SECONDS = 3
CONNECTIONS = 32


def measure_intake(say: Callable[[str], None]) -> Iterator[Measurement]:
    """Requests per second, and how long the slowest of a hundred takes at the bound."""
    with _server() as port:
        say(
            f"{PER_SECOND} signed webhooks per second for {SECONDS} s, then as many as {CONNECTIONS} senders can"
        )
        asyncio.run(_paced(port, WARM_UP_SECONDS))
        took = sorted(asyncio.run(_paced(port, SECONDS)))
        median, p99 = took[len(took) // 2] * 1000, took[round(0.99 * len(took)) - 1] * 1000
        start = time.monotonic()
        count = asyncio.run(_flat_out(port, SECONDS))
        rate = count / (time.monotonic() - start)
    detail = f"median {median:.0f} ms of {len(took)}"
    yield Measurement(f"webhook intake at {PER_SECOND}/s, p99", p99, 100, " ms", detail)
    yield Measurement(
        f"{PER_SECOND} per second / webhooks taken in", PER_SECOND / rate, 1, detail=f"{rate:.0f} per second"
    )


async def _paced(port: int, seconds: float) -> list[float]:
    """Send at a steady rate, whether answers come or not; seconds from when each was due to its answer."""
    took: list[float] = []
    due: asyncio.Queue[float | None] = asyncio.Queue()

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (at := await due.get()) is not None:
            await _send(reader, writer)
            took.append(time.monotonic() - at)
        writer.close()

    senders = [asyncio.create_task(sender()) for _ in range(CONNECTIONS)]
    start = time.monotonic()
    for number in range(int(seconds * PER_SECOND)):
        at = start + number / PER_SECOND
        await asyncio.sleep(max(0, at - time.monotonic()))
        due.put_nowait(at)
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    return took


async def _flat_out(port: int, seconds: float) -> int:
    """How many requests are answered when each sender sends the next as soon as it has an answer."""
    end = time.monotonic() + seconds

    async def sender() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.monotonic() < end:
            await _send(reader, writer)
            count += 1
        writer.close()
        return count

    return sum(await asyncio.gather(*(sender() for _ in range(CONNECTIONS))))


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = json.dumps({"order": os.urandom(8).hex(), "amount": 12.5, "lines": ["a", "b", "c"]}).encode()
    proof = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /hooks/{TENANT}/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"X-Signature: {proof}\r\nIdempotency-Key: {os.urandom(8).hex()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    if not answer.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(f"the hook answered {answer[:60]!r}")


@contextmanager
def _server() -> Iterator[int]:
    """The application in a process of its own, with a hook, on a PostgreSQL of its own; gives the port."""
    home = Path(tempfile.mkdtemp(prefix="oneo-bench-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "oneo_app.http.app:make_app", "--factory", "--no-access-log"]
    command += ["--log-level", "warning", "--port", str(port)]
    try:
        with embedded_postgres(home / "db") as urls:
            migrate(urls.oneo_owner)
            database = Database(urls.oneo)
            publish(database, TENANT, _WORKFLOW, catalogue())
            database.dispose()
            environment = {**os.environ, "ONEO_HOME": str(home), "ONEO_DATABASE_URL": urls.oneo}
            server = subprocess.Popen(command, env={**environment, "AIRFLOW_HOME": str(home / "airflow")})
            try:
                _wait_for(port)
                yield port
            finally:
                server.terminate()
                server.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@retry(retry=retry_if_exception_type(OSError), wait=wait_fixed(0.1), stop=stop_after_delay(60))
def _wait_for(port: int) -> None:
    socket.create_connection(("127.0.0.1", port)).close()


_WORKFLOW = {
    "id": "orders",
    "nodes": [
        {
            "id": "start",
            "type": "trigger_webhook",
            "config": {"path": "orders", "secret_key": SECRET, "signature": "hmac"},
        },
        {"id": "keep", "type": "set_variable", "config": {"variables": {"order": "{{ trigger.order }}"}}},
    ],
}
