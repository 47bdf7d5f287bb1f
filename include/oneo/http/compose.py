"""From a request to the bytes of its first hop: everything the author can get wrong is found here."""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib import metadata
from typing import Any
from urllib.parse import urlencode

from oneo.errors import ConfigError
from oneo.http.messages import Request
from oneo.http.redact import secret_query_values
from oneo.http.target import Target

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORM = "application/x-www-form-urlencoded"
# They frame the message or name the server the guard checked, so they are the client's own.
_RESERVED = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Headers that carry no credential. All others may: `X-Api-Key`, `Private-Token`, whatever a provider invents.
HARMLESS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "prefer",
        "range",
        "traceparent",
        "user-agent",
    }
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One exchange with one server.

    Args:
        method: Upper case.
        target: Where to.
        headers: By lower-case name; framing headers are added on sending.
        content: The body; None for no body.
    """

    method: str
    target: Target
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


def first_hop(request: Request) -> Hop:
    """Check a request and put it into the form it is sent in.

    Raises:
        ConfigError: Its method, URL, headers, parameters, body or limits cannot be sent.
    """
    method = request.method.upper()
    if not _TOKEN.fullmatch(method) or method in {"CONNECT", "TRACE"}:
        raise ConfigError(
            f"the HTTP method {request.method!r} cannot be used", "use GET, POST, PUT, PATCH or DELETE"
        )
    if request.timeout_seconds <= 0 or request.max_response_bytes < 0 or request.max_redirects < 0:
        raise ConfigError("timeout_seconds must be above 0, max_response_bytes and max_redirects at least 0")
    target = _with_params(Target.parse(request.url), request.params)
    headers = {"user-agent": user_agent(), "accept": "*/*", "accept-encoding": "gzip, deflate"}
    headers |= checked_headers(request.headers)
    content, content_type = _encode(request.body, headers.get("content-type", ""))
    if content_type is not None:
        headers.setdefault("content-type", content_type)
    return Hop(method, target, headers, content)


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by lower-case name.

    Raises:
        ConfigError: A name or value would break the message apart, comes twice, or is the client's own.
            Values are never shown.
    """
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ConfigError(f"the header name {name[:80]!r} contains characters that are not allowed")
        if not isinstance(value, str):
            raise ConfigError(f"the value of the header {name!r} must be text")
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
            raise ConfigError(
                f"the value of the header {name!r} contains a line break or another control character",
                "remove it, for example with the filter trim",
            )
        key = name.lower()
        if key in _RESERVED:
            raise ConfigError(f"the header {name!r} is set by the client itself", "remove it")
        if key in checked:
            raise ConfigError(f"the header {name!r} is given twice", "join the values with a comma")
        checked[key] = value.strip()
    return checked


def secrets_of(hop: Hop) -> list[str]:
    """Values in a hop that messages must not repeat: whole headers, what follows `Bearer`, query values."""
    found = secret_query_values(hop.target.path)
    for name, value in hop.headers.items():
        if name in HARMLESS:
            continue
        scheme, _, credential = value.partition(" ")
        found += [value, credential]
        if scheme.lower() == "basic":
            with suppress(ValueError):
                found += b64decode(credential).decode("utf-8", "replace").split(":", 1)[1:]
    return [value for value in found if value]


@lru_cache(maxsize=1)
def user_agent() -> str:
    """How the product names itself to servers."""
    return f"Oneo-Workflows/{metadata.version('oneo-workflows')}"


def _with_params(target: Target, params: Mapping[str, Any]) -> Target:
    query = _query(params)
    if not query:
        return target
    mark = "&" if "?" in target.path else "?"
    return Target(target.scheme, target.host, target.port, f"{target.path}{mark}{query}")


def _query(params: Mapping[str, Any]) -> str:
    items: list[tuple[str, str]] = []
    for name, value in params.items():
        values = value if isinstance(value, list | tuple) else [value]
        items += [(name, _param(each)) for each in values if each is not None]
    return urlencode(items)


def _param(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _encode(body: Any, content_type: str) -> tuple[bytes | None, str | None]:
    if body is None:
        return None, None
    if isinstance(body, bytes | bytearray):
        return bytes(body), "application/octet-stream"
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    if content_type.partition(";")[0].strip().lower() == _FORM:
        if not isinstance(body, Mapping):
            raise ConfigError("a form body must be an object of names and values")
        return _query(body).encode("ascii"), None
    try:
        text = json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8", "replace"), "application/json"
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"the body cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    """Dates as ISO 8601; decimals as numbers where that loses nothing, else as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
