"""Where a request goes: a URL in one normal form, so that what was checked is what is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

from oneo.errors import ConfigError
from oneo.http.redact import redact_path, redact_url

DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SAFE_IN_PATH = "/?%:@!$&'()*+,;=~-._[]|"


@dataclass(frozen=True, slots=True)
class Target:
    """A checked and normalised URL.

    Args:
        scheme: `http` or `https`.
        host: ASCII, lower case, no trailing dot; an IPv6 address without brackets.
        port: The port, also where the URL leaves it out.
        path: Percent-encoded path and query; starts with `/`.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Read an absolute http or https URL.

        Raises:
            ConfigError: The URL is malformed, or written in a way only an attack needs.
        """
        url = url.strip(" ")
        shown = redact_url(url)
        if _CONTROL.search(url):
            raise ConfigError(f"the URL {shown!r} contains control characters", "remove line breaks and tabs")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise ConfigError(f"the URL {shown!r} is malformed: {error}") from None
        if parts.scheme not in DEFAULT_PORTS:
            raise ConfigError(
                f"the URL {shown!r} has the scheme {parts.scheme!r}"
                if parts.scheme
                else f"the URL {shown!r} has no scheme",
                "start it with https:// or http://",
            )
        if "@" in parts.netloc:
            raise ConfigError(
                f"the URL {shown!r} contains a user name or password",
                "use a connection or an Authorization header",
            )
        host, port = _split_netloc(parts.netloc, parts.scheme, shown)
        query = f"?{parts.query}" if parts.query else ""
        path = quote(parts.path or "/", safe=_SAFE_IN_PATH.replace("?", "")) + quote(
            query, safe=_SAFE_IN_PATH
        )
        return cls(parts.scheme, host, port, path)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What browsers call the origin: credentials stay within it."""
        return (self.scheme, self.host, self.port)

    @property
    def host_header(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL as called, credentials included: never for messages."""
        return f"{self.scheme}://{self.host_header}{self.path}"

    def join(self, location: str) -> Target:
        """The target a `Location` header points to, seen from here."""
        return Target.parse(urljoin(self.url, location.strip()))

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header}{redact_path(self.path)}"

    def __repr__(self) -> str:
        return f"Target({str(self)!r})"


def normalise_host(host: str) -> str:
    """A host name or address in the one form that is checked, resolved and called.

    Args:
        host: As written; an IPv6 address in brackets.

    Raises:
        ValueError: The host is malformed, or an IPv4 address in an unusual notation. Resolvers read
            `2130706433`, `0177.0.0.1` and `127.1` as loopback while a reader sees something else.
    """
    if host.startswith("["):
        if not host.endswith("]") or "%" in host:
            raise ValueError("is not an IPv6 address in brackets")
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise ValueError("is not an IPv6 address in brackets") from None
    name = _ascii(host).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("is not a valid host name")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(name))
        except AddressValueError:
            raise ValueError("is an IPv4 address in an unusual notation; write it as 203.0.113.7") from None
    return name


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - large tables, needed for names like `müller.example` only

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("is not a valid international host name") from None


def _split_netloc(netloc: str, scheme: str, shown: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", netloc, re.ASCII)
    if found is None:
        raise ConfigError(f"the host and port of the URL {shown!r} are malformed")
    host, port = found[1], found[2]
    if not host:
        raise ConfigError(f"the URL {shown!r} has no host")
    if port and (len(port) > 5 or not 1 <= int(port) <= 65535):
        raise ConfigError(f"the port of the URL {shown!r} is not between 1 and 65535")
    try:
        return normalise_host(host), int(port) if port else DEFAULT_PORTS[scheme]
    except ValueError as error:
        raise ConfigError(f"the host of the URL {shown!r} {error}") from None
