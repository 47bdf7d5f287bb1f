"""One exchange over the wire: a pool of connections to checked addresses, answers read with a limit.

On httpcore directly. httpx above it would write every URL, with the tokens in its query, to the log; would keep
cookies between the requests of different tenants; would decompress without a limit; and takes three times as
long to import.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType

import certifi
import httpcore

from oneo.errors import PermanentNodeError
from oneo.http.compose import Hop
from oneo.http.decoding import Decoder, TooLargeError
from oneo.http.failures import translate
from oneo.http.guard import Guard
from oneo.http.network import PinnedBackend
from oneo.http.progress import Progress
from oneo.http.redirects import is_redirect

# At DEBUG httpcore writes the headers of every answer, cookies included.
logging.getLogger("httpcore").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one hop; the body of a redirect that will be followed is not read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """A pool of checked connections.

    Args:
        guard: Decides where connections may go.
        ssl_context: Which certificates are trusted; None means the usual authorities.
        connect_timeout: Seconds for look-up and connection.
        read_timeout: Seconds without a byte before giving up; None leaves it to the deadline.
    """

    def __init__(
        self,
        guard: Guard,
        ssl_context: ssl.SSLContext | None,
        connect_timeout: float,
        read_timeout: float | None,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or _default_ssl_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=PinnedBackend(guard),
        )
        self._timeouts = {
            "connect": connect_timeout,
            "pool": connect_timeout,
            "read": read_timeout,
            "write": read_timeout,
        }

    async def __aenter__(self) -> Transport:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def exchange(self, hop: Hop, limit: int, progress: Progress, *, follow: bool) -> Answer:
        """Send one hop and read its answer.

        Args:
            hop: What to send.
            limit: Size limit of the decoded body.
            progress: Learns whether anything was sent.
            follow: Whether a redirect will be followed, so that its body is of no interest.

        Raises:
            NodeError: No usable answer; see `failures.translate`.
        """
        target = hop.target
        headers = [("host", target.host_header), *hop.headers.items()]
        if hop.content is not None or hop.method in {"POST", "PUT", "PATCH"}:
            headers.append(("content-length", str(len(hop.content or b""))))
        try:
            async with self._pool.stream(
                hop.method,
                httpcore.URL(
                    scheme=target.scheme.encode(),
                    host=target.host.encode(),
                    port=target.port,
                    target=target.path.encode("ascii"),
                ),
                headers=[(name.encode("ascii"), value.encode("utf-8")) for name, value in headers],
                content=hop.content,
                extensions={"timeout": self._timeouts, "trace": progress.trace},
            ) as answer:
                received = _joined(answer.headers)
                if follow and is_redirect(answer.status, received.get("location")):
                    return Answer(answer.status, received, b"")
                return Answer(answer.status, received, await _read(answer, received, hop, limit))
        except Exception as error:
            failure = translate(error, hop, progress)
            if failure is None:
                raise
            # httpcore quotes headers when it refuses them, so that cause is not kept.
            raise failure from (None if isinstance(error, httpcore.LocalProtocolError) else error)


async def _read(answer: httpcore.Response, headers: Mapping[str, str], hop: Hop, limit: int) -> bytes:
    decoder = Decoder(headers.get("content-encoding", ""), limit)
    announced = headers.get("content-length", "")
    try:
        if hop.method != "HEAD" and announced.isdigit() and len(announced) < 20 and int(announced) > limit:
            raise TooLargeError
        async for chunk in answer.aiter_stream():
            decoder.feed(chunk)
    except TooLargeError:
        raise PermanentNodeError(
            f"the answer of {hop.target} is larger than {limit} bytes",
            "ask for less, or raise max_response_bytes",
        ) from None
    return decoder.finish()


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("utf-8", "replace")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


@lru_cache(maxsize=1)
def _default_ssl_context() -> ssl.SSLContext:
    """Trusts the usual authorities, or those an operator names by OpenSSL's own variables."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())
