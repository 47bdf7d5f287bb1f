"""URLs in one normal form, and messages without credentials."""

from __future__ import annotations

import pytest

from oneo.errors import ConfigError
from oneo.http.redact import redact_url, scrub
from oneo.http.target import Target


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Example.COM", "https://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("HTTP://example.com:80/a?b=c#d", "http://example.com/a?b=c"),
        ("https://example.com:8443?q=a b", "https://example.com:8443/?q=a%20b"),
        ("https://m\u00fcller.example/\u00fc", "https://xn--mller-kva.example/%C3%BC"),
        ("https://example\u3002com/", "https://example.com/"),
        ("http://[2606:4700:0:0::1111]:8080/", "http://[2606:4700::1111]:8080/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://db_1.internal/%2Fa%20b", "http://db_1.internal/%2Fa%20b"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),  # full-width digits are an address too
    ],
)
def test_urls_have_one_normal_form(url: str, normal: str) -> None:
    assert Target.parse(url).url == normal


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "127.0.0.01",
        "256.1.1.1",
        "1.2.3.4.5",
        "a.0x7f",
        "\uff12130706433",
    ],
)
def test_ipv4_in_unusual_notation_is_refused_as_such(host: str) -> None:
    with pytest.raises(ConfigError, match="IPv4 address in an unusual notation"):
        Target.parse(f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://user:hunter2@example.com/", "user name or password"),
        ("http://example.com\\@127.0.0.1/", "user name or password"),
        ("http://@example.com/", "user name or password"),
        ("ftp://example.com/", "has the scheme 'ftp'"),
        ("file:///etc/passwd", "has the scheme 'file'"),
        ("gopher://example.com/", "has the scheme 'gopher'"),
        ("example.com/a", "has no scheme"),
        ("//example.com/a", "has no scheme"),
        ("", "has no scheme"),
        ("http:///a", "has no host"),
        ("http://:80/", "has no host"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:8a/", "malformed"),
        ("http://exa mple.com/", "not a valid host name"),
        ("http://%31%32%37.0.0.1/", "not a valid host name"),
        ("http://a..b/", "not a valid host name"),
        ("http://example.com\\.internal/", "not a valid host name"),
        ("http://-a.example/", "not a valid host name"),
        ("http://[fe80::1%25eth0]/", "IPv6 address"),
        ("http://[::1/", "malformed"),
        ("http://[127.0.0.1]/", ""),
        ("http://exam\u200bple\u2028.com/", "international host name"),
        ("http://example.com/\r\nHost: evil", "control characters"),
        ("http://exam\tple.com/", "control characters"),
    ],
)
def test_malformed_and_hostile_urls_are_refused(url: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Target.parse(url)
    assert why in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_locations_are_read_relative_to_the_target() -> None:
    target = Target.parse("https://example.com/a/b?c")
    assert target.join("d").url == "https://example.com/a/d"
    assert target.join("//other.example/x").origin == ("https", "other.example", 443)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x?api_key=1&page=2", "https://a.example/x?api_key=***&page=2"),
        ("https://a.example?accessToken=1#f", "https://a.example?accessToken=***"),
        (
            "https://a.example/?client_secret=1&PASSWORD=2",
            "https://a.example/?client_secret=***&PASSWORD=***",
        ),
        ("https://a.example/?to%6ben=1&author=Ada", "https://a.example/?to%6ben=***&author=Ada"),
        ("https://u:p@a.example/", "https://a.example/"),
        ("u:p@a.example/x", "a.example/x"),
        (
            "https://hooks.example/services/T0/B0/x8Fq2LmZ0pWv7RtY4nKs1",
            "https://hooks.example/services/T0/B0/***",
        ),
        (
            "https://a.example/c/6f1d2c3b-0a9e-4d8c-8b7a-112233445566",
            "https://a.example/c/6f1d2c3b-0a9e-4d8c-8b7a-112233445566",
        ),
    ],
)
def test_urls_in_messages_hold_no_credentials(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_foreign_text_in_messages_holds_no_credentials() -> None:
    assert scrub('{"api_key": "k-1", "author": "Ada"}') == '{"api_key": ***, "author": "Ada"}'
    assert scrub('{"error": "bad token=abc; retry"}') == '{"error": "bad token=***; retry"}'
    assert scrub("see http://x.example/?token=abc&a=1") == "see http://x.example/?token=***&a=1"
    assert scrub("Authorization: Bearer abcdefgh") == "Authorization: ***"
    assert scrub("got Bearer abcdefgh") == "got Bearer ***"
    assert scrub("you sent s3cr3t\r\n!", ["s3cr3t"]) == "you sent *** !"
    assert scrub("x" * 501) == "x" * 500
