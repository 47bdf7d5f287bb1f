"""Mails become what workflows get to know, whatever state they arrive in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneo.messaging.files import safe_name
from oneo.messaging.html_text import to_text
from oneo.messaging.mail import read, unread
from tests.messaging.mails import written


def known(raw: bytes) -> dict[str, Any]:
    return dict(read(raw, "support").incoming.data)


def test_a_mail_with_everything() -> None:
    mail = read(
        written(
            "Grüße",
            html="<p>Gr&uuml;&szlig;e</p>",
            files={"log.txt": ("text/plain", b"line"), "a.pdf": ("application/pdf", b"%PDF")},
            From="Jörg Ähre <JOERG@Customer.com>",
            Cc="a@x.org, B <b@x.org>",
            Date="Sat, 21 Nov 2026 10:00:00 +0200",
            References="<0@x> <1@x>",
            In_Reply_To="<1@x>",
        ),
        "support",
    )
    data = mail.incoming.data
    assert data["from"] == {"address": "joerg@customer.com", "name": "Jörg Ähre"}
    assert [one["address"] for one in data["cc"]] == ["a@x.org", "b@x.org"]
    assert (data["text"], data["html"].strip()) == ("Grüße", "<p>Gr&uuml;&szlig;e</p>")
    assert (data["date"], data["thread_id"]) == ("2026-11-21T10:00:00+02:00", "<0@x>")
    names = [(one["name"], one["content_type"], one["size"], one.get("text")) for one in data["attachments"]]
    assert names == [("log.txt", "text/plain", 4, "line"), ("a.pdf", "application/pdf", 4, None)]
    assert [one.content for one in mail.files] == [b"line", b"%PDF"]
    assert (mail.incoming.key, data["problems"]) == ("<1@customer.com>", [])


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IQ==?=", "Grüße!"),
        (b"Subject: =?iso-8859-1?q?Gr=FC=DFe?=", "Grüße"),
        ("Subject: Grüße".encode(), "Grüße"),
        (b"Subject: =?no-such?q?a?=", "a"),
        (b"Subject: two\r\n lines", "two lines"),
        (b"Subject: {{ secrets.x }}", "{{ secrets.x }}"),
        (b"Subject: a=?utf-8?q?=00=0D=0ABcc:_x@y.z?=", "a\ufffd Bcc: x@y.z"),
        (b"X: y", ""),
    ],
)
def test_subjects(head: bytes, subject: str) -> None:
    assert known(head + b"\r\nFrom: a@b.de\r\n\r\nx")["subject"].replace("a \ufffd", "a\ufffd") == subject


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ('"x@customer.com" <evil@evil.org>', "evil@evil.org"),
        ("=?utf-8?q?x=40customer=2Ecom=2C?= <evil@evil.org>", "evil@evil.org"),
        ("evil@evil.org (x@customer.com)", "evil@evil.org"),
        ("ann@bücher.de", "ann@xn--bcher-kva.de"),
        ("nobody", ""),
        ("(" * 50_000, ""),
        ("", ""),
    ],
)
def test_a_sender_is_who_the_address_says(sender: str, address: str) -> None:
    assert known(f"From: {sender}\r\n\r\nx".encode())["from"]["address"] == address


@pytest.mark.parametrize("charset", ["utf-16-le", "no-such", "hex", "undefined", "us-ascii"])
def test_a_body_in_the_wrong_charset_is_read_as_far_as_it_goes(charset: str) -> None:
    raw = f"From: a@b.de\r\nContent-Type: text/plain; charset={charset}\r\n\r\nGrüße\r\n".encode()
    assert isinstance(known(raw)["text"], str)


def test_html_without_text_is_read_as_text() -> None:
    raw = b"From: a@b.de\r\nContent-Type: text/html\r\n\r\n<p>Hello<br>you</p><script>bad()</script>"
    assert known(raw)["text"] == "Hello\nyou"


def test_without_an_id_the_same_mail_is_the_same_mail() -> None:
    one, two = (read(written(text, Message_ID=None), "support").incoming.key for text in ("a", "b"))
    assert one != two
    assert read(written("a", Message_ID=None), "support").incoming.key == one


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({}, False),
        ({"Auto_Submitted": "auto-replied; x"}, True),
        ({"Auto_Submitted": "auto-generated"}, False),
        ({"Return_Path": "<>"}, True),
    ],
)
def test_automatic_mails(headers: dict[str, str], automatic: bool) -> None:
    assert known(written(**headers))["is_automatic"] is automatic


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\x00b\u202etxt.exe", "abtxt.exe"),
        ("...", "file.txt"),
        ("", "file.txt"),
        ("a" * 500 + ".pdf", "a" * 116 + ".pdf"),
        ("Grüße.txt", "Grüße.txt"),
    ],
)
def test_names_of_files_lead_nowhere(name: str, kept: str) -> None:
    assert safe_name(name, "text/plain") == kept


def test_a_forwarded_mail_is_a_file() -> None:
    outer = (
        b"From: a@b.de\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
        b"Content-Type: message/rfc822\r\n\r\nFrom: c@d.de\r\nSubject: inner\r\n\r\nhidden\r\n--x--\r\n"
    )
    mail = read(outer, "support")
    assert (mail.incoming.data["text"], len(mail.files)) == ("", 1)
    assert b"hidden" in mail.files[0].content


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<title>t</title><style>p{}</style><h1>A</h1><p>b &amp; <b>c</b></p>d", "A\nb & c\nd"),
        ("one<br>two\nthree", "one\ntwo three"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("<p>a<script>x()</script></p><!-- c --><template>t</template>", "a"),
        ("", ""),
        ("<![<![", ""),
    ],
)
def test_the_text_of_html(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["<a ", "<!--", "</", "<div>", "<![", "&#"])
def test_html_that_is_meant_to_take_long_does_not(piece: str) -> None:
    to_text(piece * (1024 * 1024 // len(piece)))


_LINES = st.lists(
    st.sampled_from(
        [
            b"From: a@b.de",
            b"Content-Type: multipart/mixed; boundary=x",
            b"Content-Type: text/html; charset=\xff",
            b"Content-Transfer-Encoding: base64",
            b"Content-Disposition: attachment; filename*=utf-8''%FF",
            b"Date: 99 Foo 99999",
            b"Subject: =?utf-8?b?!?=",
            b"From: <@,;:\xe9>",
            b"",
            b"--x",
            b"--x--",
            b"\x00\xff",
        ]
    )
    | st.binary(max_size=40),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(_LINES)
def test_whatever_comes_is_kept_or_refused_but_has_a_key(lines: list[bytes]) -> None:
    raw = b"\r\n".join(lines)
    assert unread(raw, "support").key
    data = known(raw)
    assert "\x00" not in str(data)
    json.dumps(data).encode()
