"""What the tests of filters and searches stand on."""

from __future__ import annotations

from tests.store.conftest import leads, other_tenant, plain_sql

__all__ = ["leads", "other_tenant", "plain_sql"]
