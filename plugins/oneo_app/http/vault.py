"""Secrets for whoever takes requests in: from Airflow, each looked up once in a while."""

from __future__ import annotations

import time
from functools import lru_cache

from sqlalchemy.engine import URL

from oneo_operators.airflow_vault import AirflowVault
from oneo_operators.services import Connection, Vault

# A secret that was changed counts after this long.
SECONDS = 5.0


class RememberingVault:
    """A vault that is not asked again for some seconds.

    Args:
        vault: The vault.
        seconds: How long an answer counts.
    """

    def __init__(self, vault: Vault, seconds: float = SECONDS) -> None:
        self._vault = vault
        self._seconds = seconds
        self._known: dict[str, tuple[float, str | None]] = {}
        self._connections: dict[str, tuple[float, Connection]] = {}

    def secret(self, key: str) -> str | None:
        """The value kept under a full key. Keys come from configs, so there are only so many of them."""
        until, value = self._known.get(key, (0.0, None))
        if time.monotonic() >= until:
            value = self._vault.secret(key)
            self._known[key] = (time.monotonic() + self._seconds, value)
        return value

    def connection(self, conn_id: str) -> Connection | None:
        """The connection of a full id. Only what is there is remembered: strangers may ask for anything."""
        until, known = self._connections.get(conn_id, (0.0, None))
        if time.monotonic() < until:
            return known
        found = self._vault.connection(conn_id)
        self._connections.pop(conn_id, None)
        if found is not None:
            self._connections[conn_id] = (time.monotonic() + self._seconds, found)
        return found

    def database_url(self, conn_id: str) -> URL | None:
        """The database of a full id; nobody who takes requests in asks for one."""
        return self._vault.database_url(conn_id)


@lru_cache(maxsize=1)
def airflow_vault() -> Vault:
    """The vault of this process."""
    return RememberingVault(AirflowVault())
