"""Mails as they travel."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any


def written(
    text: str = "Please help.",
    *,
    files: dict[str, tuple[str, bytes]] | None = None,
    html: str | None = None,
    **headers: Any,
) -> bytes:
    """A mail to support; `files` is name to content type and content."""
    mail = EmailMessage()
    found = {
        "From": "Ann <ann@customer.com>",
        "To": "support@company.com",
        "Subject": "URGENT: help",
        "Message_ID": "<1@customer.com>",
        **headers,
    }
    for name, value in found.items():
        if value is not None:
            mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    for name, (kind, content) in (files or {}).items():
        main, _, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
