"""Where a request comes from, also behind proxies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from oneo.settings import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(request: Request) -> Address | None:
    """Who sent the request; None where nobody can know.

    `X-Forwarded-For` is read from the right, for as long as the address that wrote an entry is a proxy of
    ONEO_TRUSTED_PROXIES: everything further left may be invented.
    """
    if request.client is None:
        return None
    trusted = networks(settings().trusted_proxies)
    address = _address(request.client.host)
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while address is not None and stands_in(address, trusted) and hops and hops[-1].strip():
        address = _address(hops.pop().strip())
    return address


def stands_in(address: Address, among: Iterable[Network]) -> bool:
    """Whether an address belongs to one of the networks."""
    return any(address in network for network in among)


@lru_cache(maxsize=8)
def networks(text: str) -> Sequence[Network]:
    """The networks of a comma-separated list; an address is a network of one."""
    return [ip_network(entry) for entry in filter(None, map(str.strip, text.split(",")))]


def _address(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
