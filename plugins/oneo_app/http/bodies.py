"""The bytes of a request, within limits."""

from __future__ import annotations

from starlette.requests import Request

from oneo.errors import PermanentNodeError
from oneo.http.decoding import Decoder, TooLargeError
from oneo_app.http.refusals import RequestRefusedError

MAX_RATIO = 100
_ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}


async def read_raw(request: Request, limit: int) -> bytes:
    """The body as it came over the wire; reading stops where it is over the limit.

    Args:
        request: The request.
        limit: Bytes allowed.

    Raises:
        RequestRefusedError: 413 for more bytes.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > limit:
        raise too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def inflate(raw: bytes, encoding: str, limit: int) -> bytes:
    """The body without its compression.

    Args:
        raw: The bytes as they came.
        encoding: The value of the `Content-Encoding` header.
        limit: Bytes allowed.

    Raises:
        RequestRefusedError: 413 for more bytes or a suspicious ratio, 415 for another compression, 400 for
            broken bytes.
    """
    name = encoding.strip().lower()
    if name not in _ENCODINGS:
        raise RequestRefusedError(
            415,
            f"the body is compressed as {name[:40]!r}",
            "use gzip, deflate or none",
            code="encoding",
            kept="the body is compressed in a way that is not read",
        )
    if name in ("", "identity"):
        return raw
    allowed = min(limit, MAX_RATIO * len(raw))
    decoder = Decoder(name, allowed)
    try:
        decoder.feed(raw)
        return decoder.finish()
    except TooLargeError:
        if allowed < limit:
            raise RequestRefusedError(
                413,
                f"the body is compressed more than {MAX_RATIO} times",
                "send it uncompressed",
                code="too_large",
            ) from None
        raise too_large(limit) from None
    except PermanentNodeError:
        raise RequestRefusedError(400, f"the body is not valid {name}", code="encoding") from None


def too_large(limit: int) -> RequestRefusedError:
    """The refusal of a body over the limit."""
    return RequestRefusedError(
        413, f"the body is over the limit of {limit} bytes", "send less at once", code="too_large"
    )
