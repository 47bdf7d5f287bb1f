"""What the dispatcher's tests stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneo.database import Database
from oneo.store import tenants
from tests.dispatcher.crm import Crm


@pytest.fixture
def crm(database: Database, tenant: str, quiet_queue: None) -> Iterator[Crm]:
    """A tenant with a pipeline `leads`; earlier events of the database are out of the way."""
    found = Crm(database, tenant)
    found.pipeline("leads")
    yield found
    # Its workflows would fill every file of a later test's bundle.
    with database.removal(tenant) as session:
        tenants.remove(session, tenant)
