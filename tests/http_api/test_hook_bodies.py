"""What a hook reads, and what it refuses to."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from typing import Any

import pytest

from tests.dispatcher.crm import Crm
from tests.http_api.senders import Sender

OPEN: dict[str, Any] = {"path": "orders", "signature": "none"}


def started(crm: Crm) -> dict[str, Any]:
    crm.round()
    (row,) = crm.started
    data: dict[str, Any] = row.data
    return data


@pytest.mark.parametrize(
    ("content_type", "body", "payload"),
    [
        ("application/json", '{"name": "Änne", "n": 1.5}'.encode(), {"name": "Änne", "n": 1.5}),
        ("application/json; charset=utf-8", b'\xef\xbb\xbf{"a": []}', {"a": []}),
        ("application/json; charset=iso-8859-1", '{"name": "Änne"}'.encode("latin-1"), {"name": "Änne"}),
        ("application/cloudevents+json", b"[1, 2]", [1, 2]),
        ("application/json", b"", None),
        ("", b'{"a": 1}', {"a": 1}),
        ("", b"hello", "hello"),
        ("text/plain; charset=windows-1252", b"5 \x80", "5 €"),
        ("application/xml", b"<a>1</a>", "<a>1</a>"),
        (
            "application/x-www-form-urlencoded",
            b"a=1&b=x+y&b=%C3%A4&c=",
            {"a": "1", "b": ["x y", "ä"], "c": ""},
        ),
    ],
)
def test_each_type(crm: Crm, sender: Sender, content_type: str, body: bytes, payload: Any) -> None:
    crm.watch("trigger_webhook", **OPEN)
    assert sender.post(body, {"content-type": content_type}).status_code == 202
    assert started(crm)["payload"] == payload


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"a": NaN}', 400),
        ("application/json", b'{"a": -Infinity}', 400),
        ("application/json", b'{"a": 1e999}', 400),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}", 400),
        ("application/json", b'{"a": 1, "a": 2}', 400),
        ("application/json", b'{"b": [{"a": 1, "a": 1}]}', 400),
        ("application/json", b'{"a": "\\u0000"}', 400),
        ("application/json", b'{"\\ud800": 1}', 400),
        ("application/json", b'{"a": 1} {"b": 2}', 400),
        ("application/json", b"{'a': 1}", 400),
        ("application/json", b'{"a": "\xff"}', 400),
        ("application/json", b"[" * 65 + b"]" * 65, 400),
        ("application/json", b"[" * 100_000 + b"]" * 100_000, 400),
        ("application/json", b'{"a":' * 65 + b"1" + b"}" * 65, 400),
        ("application/json; charset=utf-7", b"{}", 415),
        ("text/plain; charset=zlib", b"x", 415),
        ("text/plain; charset=\x00", b"x", 415),
        ("text/plain", b"a\x00b", 400),
        ("application/octet-stream", b"x", 415),
        ("image/png", b"x", 415),
        ("application/x-www-form-urlencoded", b"a=%00", 400),
        ("application/x-www-form-urlencoded", b"a=%ff", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 1001), 400),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', 400),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_refused(crm: Crm, sender: Sender, content_type: str, body: bytes, status: int) -> None:
    crm.watch("trigger_webhook", **OPEN)
    headers = [(b"content-type", content_type.encode("latin-1").replace(b"\x00", b"%00"))]
    found = sender.http.post(f"/hooks/{crm.tenant}/orders", content=body, headers=headers)
    assert found.status_code == status, found.text
    crm.round()
    assert crm.decisions == []


def test_sixty_four_levels_are_enough(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN)
    assert sender.post(b"[" * 64 + b'"x"' + b"]" * 64).status_code == 202


def test_files_of_a_form(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN)
    files = {"cv": ("cv.pdf", b"%PDF\x00\xff", "application/pdf"), "scan": ("s.bin", b"x" * 300_000, "a/b")}
    found = sender.http.post(
        f"/hooks/{crm.tenant}/orders", data={"name": "Ann", "tag": ["a", "b"]}, files=files
    )
    assert found.status_code == 202
    data = started(crm)
    assert (data["name"], data["tag"]) == ("Ann", ["a", "b"])
    small, large = data["files"]
    assert (small["field"], small["name"], small["content_type"], small["size"]) == (
        "cv",
        "cv.pdf",
        "application/pdf",
        6,
    )
    assert base64.b64decode(small["content"]) == b"%PDF\x00\xff"
    assert (large["size"], large["content"]) == (300_000, None)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit_of_bytes(crm: Crm, sender: Sender, extra: int) -> None:
    crm.watch("trigger_webhook", **OPEN, max_bytes=1000)
    body = b'"' + b"x" * (998 + extra) + b'"'
    assert sender.post(body).status_code == (413 if extra else 202)
    assert sender.post(gzip.compress(body), {"content-encoding": "gzip"}).status_code == (
        413 if extra else 202
    )

    def chunks() -> Any:
        yield from (body[:500], body[500:])

    streamed = sender.http.post(f"/hooks/{crm.tenant}/orders", content=chunks())
    assert streamed.status_code == (413 if extra else 202)


def test_a_body_over_the_limit_is_not_read_to_its_end(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN, max_bytes=1000)
    with socket.create_connection((sender.http.base_url.host, sender.http.base_url.port)) as plain:
        head = f"POST /hooks/{crm.tenant}/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
        plain.sendall(head.encode() + b"x" * 100)
        assert plain.recv(1000).startswith(b"HTTP/1.1 413")


def zipped(data: bytes) -> bytes:
    """Compressed, without the moment: tests are called by their arguments."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (zipped(b'{"a": 1}'), "gzip", 202),
        (zipped(b'"' + b"x" * 1_000_000 + b'"'), "gzip", 413),
        (zipped(zipped(b"x" * 1_000_000)), "gzip", 400),
        (zipped(b'{"a": 1}')[:-5], "gzip", 400),
        (b"not gzip at all", "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
    ],
)
def test_compressed_bodies(crm: Crm, sender: Sender, body: bytes, encoding: str, status: int) -> None:
    crm.watch("trigger_webhook", **OPEN)
    found = sender.post(body, {"content-encoding": encoding})
    assert found.status_code == status, found.text


def test_the_signature_is_over_the_bytes_as_sent(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="{{ secrets.shop }}", signature="token")
    headers = {"content-encoding": "gzip", "x-webhook-token": sender.secret}
    assert sender.post(gzip.compress(b'{"a": 1}'), headers).status_code == 202
    # A bomb from somebody without the secret is not even unpacked.
    bomb = gzip.compress(b"x" * 1_000_000)
    assert sender.post(bomb, {**headers, "x-webhook-token": "wrong"}).status_code == 401


HOSTILE = [
    "{{secrets.shop}}", "{{ secrets.shop }}", "{% for x in y %}", "${jndi:ldap://x}", "=cmd|' /C calc'!A0",
    "'; DROP TABLE records; --", "a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "\u202e\u0301\u2028",
]  # fmt: skip


def test_what_looks_like_code_comes_out_as_data_byte_for_byte(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="{{ secrets.shop }}")
    body = {"texts": HOSTILE, "{{secrets.shop}}": {"{{ now }}": "{{secrets.shop}}"}}
    found = sender.send(body, {"x-note": "{{secrets.shop}} {{ 7 * 7 }}"})
    assert found.status_code == 202
    data = started(crm)
    assert data["payload"] == body
    assert data["headers"]["x-note"] == "{{secrets.shop}} {{ 7 * 7 }}"
    assert sender.secret not in json.dumps(data)


def test_line_breaks_in_headers_come_from_no_one(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **OPEN)
    with socket.create_connection((sender.http.base_url.host, sender.http.base_url.port)) as plain:
        head = f"POST /hooks/{crm.tenant}/orders HTTP/1.1\r\nHost: x\r\nX-A: 1\rX-B: 2\x00\r\nContent-Length: 2\r\n\r\n"
        plain.sendall(head.encode() + b"{}")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400")
    crm.round()
    assert crm.started == []
