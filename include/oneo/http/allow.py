"""What an operator opens although it is private: `ONEO_HTTP_ALLOW`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from oneo.errors import UserError
from oneo.http.addresses import IPAddress, IPNetwork, embedded, is_metadata, refusal
from oneo.http.target import normalise_host

_FORMS = "write a host, host:port, a network such as 10.1.0.0/16, or IPv6 in brackets such as [fd00::1]:8080"


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host by name; opens the private addresses it resolves to.

    Args:
        name: The name in normal form.
        port: The one port it opens, or None for all.
    """

    name: str
    port: int | None

    def permits(self, host: str, address: IPAddress, port: int) -> bool:
        """Whether the entry opens the address. Whoever runs the DNS of a name does not get at metadata."""
        return self.name == host and self.port in (None, port) and not is_metadata(address)


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """Addresses by number.

    Args:
        network: The addresses it opens; one address is a network of one.
        port: The one port it opens, or None for all.
    """

    network: IPNetwork
    port: int | None

    def permits(self, host: str, address: IPAddress, port: int) -> bool:
        """Whether the entry opens the address, under whatever name.

        A metadata service has to be named on its own: a wide network never opens one. A network of tunnels,
        such as the NAT64 prefix, opens the tunnels to public addresses only.
        """
        del host
        if address not in self.network or self.port not in (None, port):
            return False
        leads_inside = is_metadata(address) or any(refusal(inner) for inner in embedded(address))
        return not leads_inside or self.network.num_addresses == 1


@dataclass(frozen=True, slots=True)
class AllowList:
    """Exceptions from the guard.

    Args:
        entries: What is open; empty opens nothing.
    """

    entries: tuple[HostEntry | NetworkEntry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """Read the comma-separated form of the setting.

        Raises:
            UserError: An entry is malformed; the message names it.
        """
        return cls(tuple(_entry(part.strip()) for part in text.split(",") if part.strip()))

    def permits(self, host: str, address: IPAddress, port: int) -> bool:
        """Whether any entry opens this address and port for this host name."""
        return any(entry.permits(host, address, port) for entry in self.entries)


def _entry(text: str) -> HostEntry | NetworkEntry:
    if "/" in text:
        return NetworkEntry(_network(text), None)
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?", text, re.ASCII)
    if found is None:
        raise _malformed(text, "is not a host, a network or an address")
    port = int(found[2]) if found[2] else None
    if port is not None and not 1 <= port <= 65535:
        raise _malformed(text, "has a port that is not between 1 and 65535")
    try:
        host = normalise_host(found[1])
    except ValueError as error:
        raise _malformed(text, str(error)) from None
    try:
        return NetworkEntry(ip_network(ip_address(host)), port)
    except ValueError:
        return HostEntry(host, port)


def _network(text: str) -> IPNetwork:
    try:
        return ip_network(text.replace("[", "").replace("]", ""))
    except ValueError as error:
        raise _malformed(text, f"is not a network: {error}") from None


def _malformed(text: str, why: str) -> UserError:
    return UserError(f"ONEO_HTTP_ALLOW: the entry {text!r} {why}", _FORMS)
