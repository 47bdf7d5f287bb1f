"""What a redirect turns a request into."""

from __future__ import annotations

from oneo.errors import ConfigError
from oneo.http.compose import HARMLESS, Hop

_FOLLOWED = frozenset({301, 302, 303, 307, 308})


def is_redirect(status: int, location: str | None) -> bool:
    """Whether an answer sends the client elsewhere."""
    return status in _FOLLOWED and bool(location)


def next_hop(hop: Hop, status: int, location: str) -> Hop:
    """The request that follows a redirect.

    A 303, and a 301 or 302 after a POST, become a GET without body, as in browsers. Towards another origin only
    headers known to be harmless go along; what was dropped stays dropped on the way back.

    Raises:
        ConfigError: The redirect leads from https to http, or to a URL that is refused.
    """
    try:
        target = hop.target.join(location)
    except ConfigError as error:
        raise redirected(hop, error) from None
    if hop.target.scheme == "https" and target.scheme == "http":
        raise ConfigError(
            f"{hop.target} redirects to plain http ({target}), which would give up encryption",
            "call the final address itself",
        )
    headers = dict(hop.headers)
    if target.origin != hop.target.origin:
        headers = {name: value for name, value in headers.items() if name in HARMLESS}
    becomes_get = (status == 303 and hop.method != "HEAD") or (status in {301, 302} and hop.method == "POST")
    if not becomes_get:
        return Hop(hop.method, target, headers, hop.content)
    headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
    return Hop("GET", target, headers, None)


def redirected(hop: Hop, error: ConfigError) -> ConfigError:
    """A refusal with the address that redirected there."""
    return ConfigError(f"{hop.target} redirects to an address that is refused: {error.message}", error.hint)
