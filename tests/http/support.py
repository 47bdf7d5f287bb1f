"""What the tests of the client share: names that resolve as scripted, and one request per event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

from oneo.http import AllowList, Guard, HttpClient, Request, Response
from tests.http.server import RecordingServer


class FakeDns:
    """Names of the test, each with scripted answers; the last one repeats. Counts look-ups."""

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def send(
    guard: Guard, url: str, method: str = "GET", *, trust: ssl.SSLContext | None = None, **fields: Any
) -> Response:
    async def run() -> Response:
        async with HttpClient(guard, ssl_context=trust) as client:
            return await client.send(Request(method=method, url=url, **fields))

    return asyncio.run(run())


def allowing(*servers: RecordingServer, resolver: FakeDns | None = None) -> Guard:
    allow = AllowList.parse(",".join(server.authority for server in servers))
    return Guard(allow) if resolver is None else Guard(allow, resolver=resolver)
