"""What the dispatcher's tests stand on."""

from __future__ import annotations

import pytest

from oneo.database import Database
from tests.dispatcher.crm import Crm


@pytest.fixture
def crm(database: Database, tenant: str, quiet_queue: None) -> Crm:
    """A tenant with a pipeline `leads`; earlier events of the database are out of the way."""
    found = Crm(database, tenant)
    found.pipeline("leads")
    return found
