"""Decompression that never produces more than was asked for, and what the bytes mean."""

from __future__ import annotations

import json
import zlib
from typing import Any, NoReturn, Protocol

from oneo.errors import PermanentNodeError

_MAX_DEPTH = 64
_TEXT_TYPES = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class TooLargeError(Exception):
    """The decoded body is over the limit."""


class _Inflate(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Decoder:
    """Collects a body, decompressing as it comes, and stops at a limit.

    A library that decodes chunk by chunk turns 64 KB of a gzip bomb into 64 MB before anybody can look.

    Args:
        encoding: The value of the `Content-Encoding` header.
        limit: Bytes allowed after decompression.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        names = [name.removeprefix("x-") for name in names if name not in {"", "identity"}]
        if names not in ([], ["gzip"], ["deflate"]):
            raise PermanentNodeError(
                f"the answer is compressed as {encoding[:40]!r}, which was not asked for"
            )
        self._encoding = names[0] if names else ""
        self._inflate: _Inflate | None = None
        self._limit = limit
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes off the wire.

        Raises:
            TooLargeError: The body is over the limit; nothing more should be read.
            PermanentNodeError: The bytes are not what the encoding says.
        """
        if not self._encoding:
            self._add(chunk)
            return
        try:
            while chunk:
                if self._inflate is None:
                    self._inflate = self._new_inflate(chunk)
                # One byte more than is left tells "exactly full" from "over".
                self._add(self._inflate.decompress(chunk, self._limit - len(self._body) + 1))
                chunk = self._inflate.unused_data
                if self._inflate.eof:
                    self._inflate = None  # a gzip file may hold several members
        except zlib.error as error:
            raise PermanentNodeError(f"the answer is not valid {self._encoding}: {error}") from None

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            PermanentNodeError: The compressed stream ends too early.
        """
        if self._inflate is not None:
            raise PermanentNodeError(f"the {self._encoding} stream of the answer ends too early")
        return bytes(self._body)

    def _add(self, data: bytes) -> None:
        if len(self._body) + len(data) > self._limit:
            raise TooLargeError
        self._body += data

    def _new_inflate(self, start: bytes) -> _Inflate:
        if self._encoding == "gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # "deflate" means zlib; some servers send it without the zlib header (low nibble 8).
        return zlib.decompressobj(zlib.MAX_WBITS if start[0] & 0x0F == 8 else -zlib.MAX_WBITS)


def parse(body: bytes, content_type: str) -> tuple[Any, str | None]:
    """The value of a body, and why a body announced as JSON was left as text.

    Args:
        body: The decompressed body.
        content_type: The value of the `Content-Type` header, or an empty string.
    """
    if not body:
        return None, None
    kind, _, options = content_type.lower().partition(";")
    kind = kind.strip()
    error = None
    announced = kind in {"application/json", "text/json"} or kind.endswith("+json")
    if announced or not kind:
        try:
            return _json(body), None
        except (ValueError, RecursionError) as problem:
            error = f"not valid JSON: {problem}" if announced else None
    if announced or kind.startswith(_TEXT_TYPES) or kind.endswith("+xml"):
        return _text(body, options), error
    try:
        return body.decode("utf-8"), None
    except UnicodeDecodeError:
        return None, None


def _json(body: bytes) -> Any:
    value = json.loads(body, parse_constant=_no_constant)
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return value
    raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _text(body: bytes, options: str) -> str:
    charset = options.partition("charset=")[2].partition(";")[0].strip(" \"'")
    try:
        return body.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")
