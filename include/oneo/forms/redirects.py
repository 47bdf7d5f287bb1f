"""Where a form may send people: to pages of this host, or of hosts that the form names."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from oneo.settings import settings

HOST = r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$"
ORIGIN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$"
# Browsers read `\` as `/`, leave out tabs and line ends, and `//host` leads to another host.
_ODD = re.compile(r"[\x00-\x20\\\x7f]")


def problem_of(url: str, hosts: Collection[str]) -> str | None:
    """Why a form may not redirect there; None where it may.

    Args:
        url: The address.
        hosts: Hosts, with a port where it is not the usual one, that the form allows.
    """
    if _ODD.search(url):
        return f"{url[:200]!r} holds spaces, backslashes or control characters"
    if url.startswith("/") and not url.startswith("//"):
        return None
    try:
        parts, own = urlsplit(url), urlsplit(settings().public_url)
        _ = parts.port
    except ValueError:
        return f"{url[:200]!r} is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return f"{url[:200]!r} is no address of a page: start it with https://, or with / for a page of this host"
    if (parts.scheme, parts.netloc.lower()) == (own.scheme, own.netloc.lower()):
        return None
    if parts.scheme == "https" and parts.netloc.lower() in {host.lower() for host in hosts}:
        return None
    where = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{where} is not allowed: use https, and name {parts.netloc!r} in the form's settings.redirect_hosts"
    )


def origin(url: str) -> str | None:
    """Scheme, host and port of an address of another host; None for a page of this one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None
