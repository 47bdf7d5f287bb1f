"""What the tests of mail stand on: a tenant, a mail server, and the mailbox between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneo_app.mail.access import Access
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.messaging.imap_server import LOGIN, PASSWORD, ImapServer

__all__ = ["crm"]


@pytest.fixture
def server() -> Iterator[ImapServer]:
    """A mail server with an empty folder."""
    found = ImapServer()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def box(server: ImapServer, crm: Crm) -> Access:
    """The tenant's mailbox on it."""
    return Access(
        tenant_id=crm.tenant,
        name="support",
        host="127.0.0.1",
        port=server.port,
        login=LOGIN,
        password=PASSWORD,
        encryption="none",
    )
