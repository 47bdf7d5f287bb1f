"""What the tests of sensors stand on."""

from __future__ import annotations

from tests.dispatcher.conftest import crm
from tests.factory.conftest import store
from tests.store.conftest import as_owner

__all__ = ["as_owner", "crm", "store"]
