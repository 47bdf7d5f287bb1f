"""What a node asks for and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oneo.http.redact import redact_url

MEBIBYTE = 1024 * 1024

ParamValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request:
    """One request, redirects included.

    Args:
        method: `GET`, `POST`, …
        url: An absolute http or https URL.
        headers: Sent as given, without those that frame the message (`Host`, `Content-Length`, …).
        params: Added to the query of the URL. A list repeats the name, None leaves it out.
        body: None for no body; text and bytes go out as they are; anything else as JSON, or as a form where the
            `Content-Type` header says `application/x-www-form-urlencoded`.
        timeout_seconds: For everything together: look-up, connection, redirects, reading the body.
        follow_redirects: Off returns the redirect itself.
        max_redirects: More than these are an error.
        max_response_bytes: Size limit of the body after decompression.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, ParamValue | Sequence[ParamValue]] = field(default_factory=dict)
    body: Any = None
    timeout_seconds: float = 30.0
    follow_redirects: bool = True
    max_redirects: int = 5
    max_response_bytes: int = 10 * MEBIBYTE

    def __repr__(self) -> str:
        return f"Request({self.method} {redact_url(self.url)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer to a request.

    Args:
        status: The status code.
        headers: Names in lower case; repeated ones joined by `, `.
        body_bytes: The body, decompressed.
        data: The body parsed: JSON, else text, else None for no body or a binary one.
        json_error: Why a body announced as JSON was left as text.
        url: Where the answer came from after redirects, credentials masked: safe to log and to store.
        elapsed_ms: From the call to the last byte, redirects included.
        excerpt: Of an error, the first 500 characters of a text body with credentials masked, for messages.
    """

    status: int
    headers: Mapping[str, str]
    body_bytes: bytes = field(repr=False)
    data: Any = field(repr=False)
    json_error: str | None = None
    url: str
    elapsed_ms: float
    excerpt: str = field(default="", repr=False)
