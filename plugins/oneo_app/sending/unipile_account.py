"""A tenant's account with UniPile, from its Airflow connection."""

from __future__ import annotations

from oneo.errors import ConfigError
from oneo.messaging.unipile import CONNECTION
from oneo.messaging.unipile_api import Account
from oneo_operators.services import Vault, find_connection


def account(vault: Vault, tenant_id: str) -> Account:
    """The account of the connection `oneo_unipile`: host, port, schema, and the API key as its password.

    Raises:
        ConfigError: There is no such connection, or it does not say enough; all that is missing is named.
    """
    found = find_connection(vault, tenant_id, CONNECTION)
    missing = [
        f"its {name} is missing"
        for name, value in (("host", found.host), ("password (the API key)", found.password))
        if not value
    ]
    if missing:
        raise ConfigError(
            f"connection {CONNECTION!r} does not say how to send: {', '.join(missing)}",
            "set the host and port of UniPile's DSN and the API key as password",
        )
    host = str(found.host).rstrip("/")
    base = host if "://" in host else f"{found.scheme or 'https'}://{host}"
    return Account(f"{base}:{found.port}" if found.port else base, str(found.password))
