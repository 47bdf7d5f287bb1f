"""Where a mailbox is and how it is opened."""

from __future__ import annotations

import imaplib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from oneo.errors import ConfigError, InfrastructureError, UserError
from oneo_operators.services import Vault, find_connection

logger = logging.getLogger(__name__)

After = Literal["leave", "mark", "delete"]
CONNECTION = "oneo_imap"
TIMEOUT_SECONDS = 60.0
# What a connection that has ended shows as.
LOST = (OSError, imaplib.IMAP4.error, ImapToolsError)


@dataclass(frozen=True)
class Access:
    """A tenant's mailbox.

    Attributes:
        name: The Airflow connection's name; also the mailbox's in events.
        encryption: How the way to the server is protected.
        after: What becomes of a mail that was taken in: it is left alone, marked as read or deleted.
    """

    tenant_id: str
    name: str
    host: str
    login: str
    password: str = field(repr=False)
    port: int = 0
    encryption: Literal["tls", "starttls", "none"] = "tls"
    folder: str = "INBOX"
    after: After = "leave"


def access(vault: Vault, tenant_id: str, name: str = CONNECTION) -> Access:
    """The mailbox of a connection; its extra settings are `use_ssl`, `starttls`, `folder` and `after`.

    Raises:
        UserError: There is no such connection, or it does not say enough; all that is wrong is named.
    """
    try:
        found = find_connection(vault, tenant_id, name)
    except ConfigError as error:
        raise UserError(error.message, hint=error.hint) from None
    extra = found.extra
    after = extra.get("after", "leave")
    problems = [f"{part} is missing" for part in ("host", "login", "password") if not getattr(found, part)]
    if after not in ("leave", "mark", "delete"):
        problems.append(f"extra after is {after!r}; write leave, mark or delete")
    if problems:
        raise UserError(f"connection {name!r}: {'; '.join(problems)}", hint="it is of type imap")
    plain: Literal["starttls", "none"] = "starttls" if _is_on(extra.get("starttls", False)) else "none"
    encryption: Any = "tls" if _is_on(extra.get("use_ssl", plain == "none")) else plain
    return Access(
        tenant_id=tenant_id,
        name=name,
        host=str(found.host),
        login=str(found.login),
        password=str(found.password),
        port=found.port or 0,
        encryption=encryption,
        folder=str(extra.get("folder") or "INBOX"),
        after=cast("After", after),
    )


@contextmanager
def opened(box: Access) -> Iterator[BaseMailBox]:
    """The mailbox, logged in.

    Raises:
        UserError: The server does not take the login.
        InfrastructureError: The server does not answer, or the connection is lost meanwhile.
    """
    try:
        mailbox = _connected(box)
    except LOST as error:
        raise InfrastructureError(
            f"the mail server {box.host} does not answer: {error}", hint=f"see the connection {box.name!r}"
        ) from None
    try:
        mailbox.login(box.login, box.password, initial_folder=None)
        yield mailbox
    except MailboxLoginError:
        raise UserError(
            f"the mail server {box.host} does not take the login of the connection {box.name!r}",
            hint="set its login and password",
        ) from None
    except LOST as error:
        raise InfrastructureError(f"the mail server {box.host} broke off: {error}") from None
    finally:
        with suppress(*LOST):
            mailbox.logout()


def _connected(box: Access) -> BaseMailBox:
    if box.encryption == "tls":
        return MailBox(box.host, box.port or 993, timeout=TIMEOUT_SECONDS)
    if box.encryption == "starttls":
        return MailBoxStartTls(box.host, box.port or 143, timeout=TIMEOUT_SECONDS)
    return MailBoxUnencrypted(box.host, box.port or 143, timeout=TIMEOUT_SECONDS)


def _is_on(value: Any) -> bool:
    """A switch of a connection, which Airflow's form keeps as text."""
    return value.strip().lower() not in ("", "false", "0", "no") if isinstance(value, str) else bool(value)
