"""A call to another system."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from dag_factory.catalogue import Effect, RetryOverride
from oneo.errors import ConfigError
from oneo.expressions import is_template
from oneo.http import HttpClient, Request, Response, check
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult
from oneo_operators.services import Connection

_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# Entries of a connection's extra that the HTTP provider takes as options of its own client.
_NO_HEADERS = frozenset(
    {
        "stream",
        "cert",
        "proxies",
        "proxy",
        "timeout",
        "verify",
        "verify_ssl",
        "allow_redirects",
        "max_redirects",
    }
    | {"trust_env", "check_response", "srv_lookup"}
)


class HttpRequestConfig(NodeConfig):
    """The request, and what to make of its answer."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(
        default="GET", description="HTTP method."
    )
    url: str = Field(
        default="", description="Absolute address, or with connection_id a path below the connection's."
    )
    connection_id: str | None = Field(
        default=None,
        description="Airflow connection of type http, named `oneo__<tenant>__<connection_id>` or "
        "`oneo__shared__<connection_id>`: base URL, login and password, headers in its extra.",
    )
    query: dict[str, Any] = Field(default_factory=dict, description="Query parameters added to the URL.")
    headers: dict[str, str] = Field(
        default_factory=dict, description="Request headers, e.g. `Bearer {{secrets.api_key}}`."
    )
    body: Any = Field(default=None, description="JSON value or text to send; none where left out.")
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="Seconds for the whole exchange.")
    follow_redirects: bool = Field(
        default=True, description="Go where the server points (each hop is checked)."
    )
    max_response_bytes: int = Field(
        default=10_485_760, ge=1, le=104_857_600, description="A larger answer is an error."
    )
    accept_status: list[int] = Field(
        default_factory=list, description="Error statuses that count as an answer, e.g. 404."
    )
    retry_count: int | None = Field(
        default=None,
        ge=0,
        le=20,
        description="Attempts after the first. Default: 2 for GET and HEAD, else 0.",
    )
    retry_backoff: Literal["fixed", "exponential"] | None = Field(
        default=None, description="Whether the wait doubles with each retry. Default: exponential."
    )
    error_handling: Literal["fail", "continue"] | None = Field(
        default=None, description="After the last attempt: fail, or go on with `output.error`."
    )

    @model_validator(mode="before")
    @classmethod
    def _known_at_save(cls, value: Any) -> Any:
        """How failures are handled is decided before the node runs, so it cannot come out of an expression."""
        for name in ("retry_count", "retry_backoff", "error_handling"):
            if isinstance(value, dict) and isinstance(value.get(name), str) and is_template(value[name]):
                raise ValueError(f"{name} cannot be an expression; write the value itself")
        return value

    @field_validator("headers", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Numbers that came out of an expression are fine as header values."""
        if not isinstance(value, dict):
            return value
        return {
            key: str(item) if isinstance(item, int | float) and not isinstance(item, bool) else item
            for key, item in value.items()
        }


class HttpRequestOperator(NodeOperator):
    """Call an HTTP API."""

    type: ClassVar[str] = "http_request"
    category: ClassVar[str] = "external_integration"
    description: ClassVar[str] = "Sends an HTTP request and gives on the answer."
    effect: ClassVar[Effect] = "external"
    Config = HttpRequestConfig

    @classmethod
    def retry_override(cls, config: Mapping[str, Any]) -> RetryOverride:
        """`retry_count`, `retry_backoff` and `error_handling` of the config."""
        count, backoff = config.get("retry_count"), config.get("retry_backoff")
        # Whether a lost one was carried out is unknown: it is repeated only where its author says so.
        unsafe = config.get("method", "GET") in ("POST", "PATCH")
        return RetryOverride(
            count=None if count is None else int(count),
            safe_count=0 if unsafe else None,
            exponential=None if backoff is None else backoff == "exponential",
            on_error=config.get("error_handling"),
        )

    async def run(self, config: HttpRequestConfig, context: NodeContext) -> NodeResult:
        """Send the request; `output.status`, `output.headers` and `output.body` are the answer."""
        connection = context.connection(config.connection_id) if config.connection_id else None
        credentials = _credentials(connection)
        # A server that echoes what it got must not bring them into the output.
        context.scope.reveal(credentials.get("authorization", "").partition(" ")[2])
        request = Request(
            method=config.method,
            url=_address(config.url, connection),
            headers=_merged(credentials, config.headers),
            params=config.query,
            body=config.body,
            timeout_seconds=config.timeout_seconds,
            follow_redirects=config.follow_redirects,
            max_response_bytes=config.max_response_bytes,
        )
        async with HttpClient() as client:
            response = await client.send(request)
        if response.status not in config.accept_status:
            check(response)
        return NodeResult(_output(response))


def _output(response: Response) -> dict[str, Any]:
    body = response.data
    if body is None and response.body_bytes:
        body = {"base64": base64.b64encode(response.body_bytes).decode()}
    return {
        "status": response.status,
        # A cookie is a credential of this exchange, and nothing a workflow needs later.
        "headers": {name: value for name, value in response.headers.items() if name != "set-cookie"},
        "body": body,
        "url": response.url,
        "elapsed_ms": round(response.elapsed_ms, 1),
    }


def _address(url: str, connection: Connection | None) -> str:
    if connection is None:
        if not url:
            raise ConfigError("url is missing", "give an absolute URL, or a connection_id")
        return url
    if connection.kind != "http":
        raise ConfigError(
            f"connection {connection.id!r} is of type {connection.kind!r}", "create it with type http"
        )
    # As the HTTP provider reads its connections: the host may carry the scheme.
    host = connection.host or ""
    base = urlsplit(host if "://" in host else f"{connection.scheme or 'http'}://{host}")
    if connection.port and not base.port:
        base = base._replace(netloc=f"{base.netloc}:{connection.port}")
    root = base._replace(path=base.path.rstrip("/") + "/", query="", fragment="").geturl()
    target = url if _ABSOLUTE.match(url) else root + url.lstrip("/") if url else root
    # Credentials of a connection go to its own address and what is below, and nowhere else.
    if _origin(target) != _origin(root) or not _is_below(target, root):
        raise ConfigError(
            f"url {url!r} leads away from connection {connection.id!r}",
            "give a path below the connection's address, or leave connection_id out",
        )
    return target if url else base.geturl()


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def _is_below(target: str, root: str) -> bool:
    path = urlsplit(target).path
    steps = unquote(path).replace("\\", "/").split("/")
    return ".." not in steps and (path + "/").startswith(urlsplit(root).path)


def _credentials(connection: Connection | None) -> dict[str, str]:
    """The headers a connection adds, by lower-case name."""
    if connection is None:
        return {}
    headers = {
        str(name).lower(): str(value)
        for name, value in connection.extra.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and name not in _NO_HEADERS
    }
    if connection.login is not None or connection.password is not None:
        pair = f"{connection.login or ''}:{connection.password or ''}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _merged(credentials: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """The connection's headers and the node's own, which weigh more."""
    own = {name.lower() for name in headers}
    return {**{name: value for name, value in credentials.items() if name not in own}, **headers}
