"""The one way out: every request of every node goes through this client."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from oneo.errors import ConfigError, PermanentNodeError, TransientNodeError
from oneo.http.compose import Hop, first_hop, secrets_of
from oneo.http.decoding import parse
from oneo.http.errors import OutcomeUnknownError
from oneo.http.guard import Guard
from oneo.http.messages import Request, Response
from oneo.http.progress import Progress
from oneo.http.redact import scrub
from oneo.http.redirects import is_redirect, next_hop, redirected

if TYPE_CHECKING:
    from oneo.http.transport import Answer, Transport


class HttpClient:
    """Sends requests to hosts the guard permits. Use it with `async with`, within one event loop.

    Connections are reused between requests; cookies, credentials and proxies from the environment are not.

    Args:
        guard: Decides where requests may go; None means the public internet and `ONEO_HTTP_ALLOW`.
        ssl_context: Which certificates are trusted; None means the usual authorities.
        connect_timeout: Seconds for look-up and connection of one hop.
        read_timeout: Seconds without a byte before giving up; None leaves it to the request's deadline.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float | None = None,
    ) -> None:
        self._guard = guard or Guard()
        self._ssl_context = ssl_context
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._transport: Transport | None = None
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        from oneo.http.transport import Transport  # noqa: PLC0415 - httpcore is heavy, most tasks call nobody

        transport = Transport(self._guard, self._ssl_context, self._connect_timeout, self._read_timeout)
        self._transport = await self._exits.enter_async_context(transport)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport = None
        await self._exits.__aexit__(kind, error, trace)

    async def send(self, request: Request) -> Response:
        """Send a request and read the whole answer, whatever its status; see `status.check`.

        Raises:
            ConfigError: The request is malformed or goes, itself or by a redirect, where it may not.
            PermanentNodeError: An untrusted certificate, too many redirects, or an answer that is too large
                or not decodable.
            OutcomeUnknownError: The request went out, but no complete answer came back.
            TransientNodeError: The host could not be resolved or connected to.
        """
        start = time.monotonic()
        hop = first_hop(request)
        secrets = secrets_of(hop)
        progress = Progress()
        try:
            async with asyncio.timeout(request.timeout_seconds) as deadline:
                hop, answer = await self._follow(request, hop, progress)
        except TimeoutError:
            if not deadline.expired():
                raise
            message = (
                f"{hop.method} {hop.target}: no complete answer within {request.timeout_seconds:g} seconds"
            )
            raise (OutcomeUnknownError if progress.sent else TransientNodeError)(message) from None
        return _response(hop, answer, secrets, time.monotonic() - start)

    async def _follow(self, request: Request, hop: Hop, progress: Progress) -> tuple[Hop, Answer]:
        """The answer at the end of the redirects, and the hop that got it."""
        if self._transport is None:
            raise RuntimeError("HttpClient is used outside of `async with`")
        previous: Hop | None = None
        for _ in range(request.max_redirects + 1):
            try:
                answer = await self._transport.exchange(
                    hop, request.max_response_bytes, progress, follow=request.follow_redirects
                )
            except ConfigError as error:
                if previous is None:
                    raise
                raise redirected(previous, error) from None
            location = answer.headers.get("location")
            if location is None or not request.follow_redirects or not is_redirect(answer.status, location):
                return hop, answer
            previous, hop = hop, next_hop(hop, answer.status, location)
        raise PermanentNodeError(
            f"{hop.target}: more than {request.max_redirects} redirects", "call the final address itself"
        )


def _response(hop: Hop, answer: Answer, secrets: list[str], seconds: float) -> Response:
    data, json_error = parse(answer.body, answer.headers.get("content-type", ""))
    shown = ""
    if answer.status >= 400 and data is not None:
        shown = scrub(answer.body[:65536].decode("utf-8", "replace"), secrets)
    return Response(
        status=answer.status,
        headers=answer.headers,
        body_bytes=answer.body,
        data=data,
        json_error=json_error,
        url=str(hop.target),
        elapsed_ms=round(seconds * 1000, 3),
        excerpt=shown,
    )
