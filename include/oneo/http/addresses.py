"""Which IP addresses a workflow may never reach, and why.

The tables are our own: what `ipaddress.is_private` means differs between Python patch releases, and it knows
neither metadata services nor addresses that carry another address inside.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# Credentials of the machine itself are served here. Some of these lie in public address space.
METADATA: frozenset[IPAddress] = frozenset(
    {
        IPv4Address("169.254.169.254"),  # AWS, Azure, Google, DigitalOcean, OpenStack
        IPv4Address("169.254.170.2"),  # AWS, credentials of a container task
        IPv4Address("169.254.170.23"),  # AWS, credentials of a Kubernetes pod
        IPv4Address("100.100.100.200"),  # Alibaba
        IPv4Address("168.63.129.16"),  # Azure, platform endpoint; a public address
        IPv4Address("192.0.0.192"),  # Oracle
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd00:ec2::23"),  # AWS, credentials of a Kubernetes pod
        IPv6Address("fd20:ce::254"),  # Google
    }
)

_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "an unspecified address"),
        ("127.0.0.0/8", "a loopback address"),
        ("10.0.0.0/8", "a private address (RFC 1918)"),
        ("172.16.0.0/12", "a private address (RFC 1918)"),
        ("192.168.0.0/16", "a private address (RFC 1918)"),
        ("169.254.0.0/16", "a link-local address"),
        ("100.64.0.0/10", "a shared address (carrier-grade NAT)"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a reserved address (documentation)"),
        ("198.51.100.0/24", "a reserved address (documentation)"),
        ("203.0.113.0/24", "a reserved address (documentation)"),
        ("198.18.0.0/15", "a reserved address (benchmarks)"),
        ("192.88.99.0/24", "a reserved address (6to4 relays)"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)

# First match wins, so the narrow ones come before the wide ones.
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4-mapped IPv6 address"),
        ("::ffff:0:0:0/96", "an IPv4-translated IPv6 address"),
        ("::/96", "an IPv4-compatible IPv6 address"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("fc00::/7", "a private address (ULA)"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001:2::/48", "a reserved address (benchmarks)"),
        ("2001:10::/28", "a reserved address (ORCHID)"),
        ("2001:20::/28", "a reserved address (ORCHID)"),
        ("2001:db8::/32", "a reserved address (documentation)"),
        ("3fff::/20", "a reserved address (documentation)"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # the only part of IPv6 given out so far
_TEREDO = IPv6Network("2001::/32")
_PROTOCOLS_V6 = IPv6Network("2001::/23")

_EMBEDDING_LOW_32 = tuple(
    IPv6Network(network) for network in ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")
)


def embedded(address: IPAddress) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses an IPv6 address carries inside: mapped, translated, NAT64, 6to4, Teredo."""
    if isinstance(address, IPv4Address):
        return ()
    if address.teredo is not None:
        return address.teredo
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if any(address in network for network in _EMBEDDING_LOW_32):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def is_metadata(address: IPAddress) -> bool:
    """Whether a cloud's metadata service answers at the address, also where it is hidden inside IPv6."""
    # An interface scope (`fe80::1%eth0`) makes equal addresses unequal.
    plain = IPv6Address(int(address)) if isinstance(address, IPv6Address) else address
    return plain in METADATA or any(inner in METADATA for inner in embedded(plain))


def refusal(address: IPAddress) -> str | None:
    """Why an address is refused, worded to follow "which is"; None for a public address."""
    if is_metadata(address):
        return "the metadata service of a cloud"
    if isinstance(address, IPv4Address):
        return next((why for network, why in _REFUSED_V4 if address in network), None)
    for network, why in _REFUSED_V6:
        if address in network:
            return why
    for inner in embedded(address):
        why_inner = refusal(inner)
        if why_inner is not None:
            return f"a tunnel to {inner}, {why_inner}"
    if address not in _GLOBAL_V6 or (address in _PROTOCOLS_V6 and address not in _TEREDO):
        return "a reserved address"
    return None
