"""Which hosts the guard refuses, and what the allow-list opens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from oneo.errors import ConfigError, TransientNodeError, UserError
from oneo.http import AllowList, Guard
from oneo.http.addresses import METADATA, refusal
from oneo.http.guard import resolve
from oneo.settings import settings

PUBLIC = "93.184.215.14"


class FakeDns:
    """A resolver with scripted answers; the last one repeats. Counts look-ups."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def addresses(guard: Guard, host: str, port: int = 443) -> list[str]:
    return [str(address) for address in asyncio.run(guard.addresses(host, port))]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.1.2", "loopback"),
        ("::1", "loopback"),
        ("10.0.0.1", "RFC 1918"),
        ("172.16.0.1", "RFC 1918"),
        ("172.31.255.255", "RFC 1918"),
        ("192.168.1.1", "RFC 1918"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("fc00::1", "ULA"),
        ("fd12:3456::1", "ULA"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "documentation"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("198.18.0.1", "benchmarks"),
        ("2001:db8::1", "documentation"),
        ("fec0::1", "site-local"),
        ("4000::1", "reserved"),
        ("2001:1::1", "reserved"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:93.184.215.14", "IPv4-mapped"),
        ("::ffff:0:93.184.215.14", "IPv4-translated"),
        ("::10.0.0.1", "IPv4-compatible"),
        ("64:ff9b::10.0.0.1", "NAT64"),
        ("64:ff9b::93.184.215.14", "NAT64"),
        ("64:ff9b:1::1", "NAT64"),
        ("2002:7f00:1::1", "tunnel to 127.0.0.1, a loopback"),
        ("2002:a00:1::1", "tunnel to 10.0.0.1, a private"),
        ("2001:0:5db8:d70e::f5ff:fffe", "tunnel to 10.0.0.1, a private"),  # Teredo: client bits are inverted
        ("2001:0:a00:1::a247:28f1", "tunnel to 10.0.0.1, a private"),  # Teredo: server
        ("169.254.169.254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("2002:a9fe:a9fe::1", "metadata"),
    ],
)
def test_addresses_inside_are_refused_with_a_reason(address: str, why: str) -> None:
    assert why in (refusal(ip_address(address)) or "")


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2002:5db8:d70e::1"]
)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(ip_address(address)) is None


def test_every_metadata_address_is_refused() -> None:
    assert all(refusal(address) == "the metadata service of a cloud" for address in METADATA)


def test_a_name_is_resolved_once_and_keeps_the_resolvers_order() -> None:
    dns = FakeDns([PUBLIC, "2606:4700::1111"])
    assert addresses(Guard(AllowList(), resolver=dns), "api.example.com") == [PUBLIC, "2606:4700::1111"]
    assert dns.asked == [("api.example.com", 443)]


def test_one_inside_address_among_public_ones_refuses_the_host() -> None:
    guard = Guard(AllowList(), resolver=FakeDns([PUBLIC, "10.0.0.5"]))
    with pytest.raises(ConfigError) as caught:
        addresses(guard, "crm.example.com", 8443)
    assert caught.value.message == (
        "the host crm.example.com was not called: the host crm.example.com resolves to 10.0.0.5, which is "
        "a private address (RFC 1918); workflows may not reach it"
    )
    assert caught.value.hint == "if they should, an operator adds crm.example.com:8443 to ONEO_HTTP_ALLOW"


def test_an_address_needs_no_resolver() -> None:
    dns = FakeDns([])
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1 is a loopback address.*ONEO_HTTP_ALLOW"):
        addresses(Guard(AllowList(), resolver=dns), "127.0.0.1")
    with pytest.raises(ConfigError, match=r"adds \[::1\]:443 to ONEO_HTTP_ALLOW"):
        addresses(Guard(AllowList(), resolver=dns), "::1")
    assert dns.asked == []


def test_an_unknown_host_may_be_tried_again() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(TransientNodeError, match=r"nowhere\.example could not be resolved: Name or service"):
        addresses(Guard(AllowList(), resolver=unknown), "nowhere.example")
    with pytest.raises(TransientNodeError, match="has no address"):
        addresses(Guard(AllowList(), resolver=FakeDns([])), "nowhere.example")


def test_the_systems_resolver_gives_each_address_once() -> None:
    found = asyncio.run(resolve("localhost", 80))
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(found) == len(set(found)) > 0


def test_denied_ports_stay_closed_whatever_is_allowed() -> None:
    guard = Guard(AllowList.parse("127.0.0.1"), denied_ports={25})
    assert addresses(guard, "127.0.0.1", 26) == ["127.0.0.1"]
    with pytest.raises(ConfigError, match="port 25 is closed"):
        addresses(guard, "127.0.0.1", 25)


def test_the_setting_is_the_default_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEO_HTTP_ALLOW", "127.0.0.1:9000")
    settings.cache_clear()
    try:
        assert addresses(Guard(), "127.0.0.1", 9000) == ["127.0.0.1"]
        with pytest.raises(ConfigError):
            addresses(Guard(), "127.0.0.1", 9001)
    finally:
        settings.cache_clear()


@pytest.mark.parametrize(
    ("allow", "host", "address", "port", "permitted"),
    [
        ("127.0.0.1:9000", "127.0.0.1", "127.0.0.1", 9000, True),
        ("127.0.0.1:9000", "127.0.0.1", "127.0.0.1", 9001, False),
        ("127.0.0.1:9000", "127.0.0.2", "127.0.0.2", 9000, False),
        ("127.0.0.1:9000", "rebind.example.com", "127.0.0.1", 9000, True),  # the address itself is open
        ("10.1.0.0/16", "10.1.2.3", "10.1.2.3", 1, True),
        ("10.1.0.0/16", "10.2.0.1", "10.2.0.1", 1, False),
        ("crm.internal", "crm.internal", "10.9.9.9", 80, True),
        ("crm.internal", "other.internal", "10.9.9.9", 80, False),
        ("crm.internal", "sub.crm.internal", "10.9.9.9", 80, False),
        ("CRM.Internal.:8080", "crm.internal", "10.9.9.9", 8080, True),
        ("crm.internal:8080", "crm.internal", "10.9.9.9", 80, False),
        ("[fd00::1]:8080", "fd00::1", "fd00::1", 8080, True),
        ("[fd00::1]:8080", "fd00::1", "fd00::1", 80, False),
        ("[fd00::1]", "fd00::1", "fd00::1", 80, True),
        ("fd00::/8", "fd00::1", "fd00::1", 80, True),
        ("[fd00::]/8", "fd00::1", "fd00::1", 80, True),
        # A metadata service opens by its address alone, never by a name or a wide network.
        ("crm.internal", "crm.internal", "169.254.169.254", 80, False),
        ("169.254.0.0/16", "169.254.169.254", "169.254.169.254", 80, False),
        ("::/0", "::ffff:169.254.169.254", "::ffff:169.254.169.254", 80, False),
        ("169.254.169.254", "169.254.169.254", "169.254.169.254", 80, True),
        # The NAT64 prefix opens for networks that live on it, but not into the inside.
        ("64:ff9b::/96", "api.example.com", "64:ff9b::5db8:d70e", 443, True),
        ("64:ff9b::/96", "api.example.com", "64:ff9b::a00:1", 443, False),
    ],
)
def test_the_allow_list_opens_what_it_names(
    allow: str, host: str, address: str, port: int, permitted: bool
) -> None:
    assert AllowList.parse(f" {allow} , 192.168.77.1,").permits(host, ip_address(address), port) is permitted


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.1/8",
        "10.1.0.0/33",
        "a b",
        "fd00::1",
        "host:99999",
        "host:0",
        "host:",
        "[::1",
        "http://x",
        "127.1",
        "*",
    ],
)
def test_a_malformed_entry_is_named(entry: str) -> None:
    with pytest.raises(UserError) as caught:
        AllowList.parse(f"crm.internal,{entry}")
    assert repr(entry) in caught.value.message
    assert caught.value.hint is not None
    assert "10.1.0.0/16" in caught.value.hint
