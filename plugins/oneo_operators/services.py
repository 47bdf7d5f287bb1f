"""What a node may use of the outside: secrets and connections, without knowing Airflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.engine import URL

from oneo.errors import ConfigError, ExpressionError
from oneo.store.tenants import RESERVED

SHARED = next(iter(RESERVED))


@dataclass(frozen=True)
class Connection:
    """Address and credentials of another system.

    Attributes:
        id: The connection's id as the node's config names it.
        kind: Its type, e.g. `http`.
        extra: Further settings; for `http` these are headers.
    """

    id: str
    kind: str
    host: str | None = None
    port: int | None = None
    scheme: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def private_values(password: str | None, extra: Mapping[str, Any]) -> list[Any]:
    """What of a connection must not come out again in an output, a message or a log."""
    # `Accept: application/json` may.
    from oneo.http.compose import HARMLESS  # noqa: PLC0415 - only where a connection is used

    return [password or "", *(value for name, value in extra.items() if name.lower() not in HARMLESS)]


class Vault(Protocol):
    """Where secrets and connections are kept; each method gives None for what is not there."""

    def secret(self, key: str) -> str | None:
        """The value kept under a full key."""

    def connection(self, conn_id: str) -> Connection | None:
        """The connection of a full id."""

    def database_url(self, conn_id: str) -> URL | None:
        """The connection of a full id, of type postgres, as SQLAlchemy is told of it with the driver psycopg.

        Raises:
            ConfigError: It is of another type.
        """


class Secrets(Mapping[str, Any]):
    """`secrets` as expressions see it: the tenant's own values, else those shared by all tenants.

    Args:
        vault: Where to look.
        tenant_id: Whose secrets.
    """

    def __init__(self, vault: Vault, tenant_id: str) -> None:
        self._vault = vault
        self._tenant_id = tenant_id

    def __getitem__(self, name: str) -> str:
        for owner in (self._tenant_id, SHARED):
            value = self._vault.secret(secret_key(owner, name))
            if value is not None:
                return value
        raise ExpressionError(
            f"there is no secret {name!r}",
            hint=f"set the Airflow variable {secret_key(self._tenant_id, name)!r}",
        )

    def __contains__(self, name: object) -> bool:
        # Asked for by name only: whether it is there shows when it is read, with a message that says how to set it.
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def secret_key(owner: str, name: str) -> str:
    """The Airflow variable of a secret. A tenant id holds no underscore, so no two owners' keys meet."""
    return f"oneo__{owner}__{name}"


def find_connection(vault: Vault, tenant_id: str, conn_id: str) -> Connection:
    """The tenant's connection of that name, else the shared one.

    Raises:
        ConfigError: There is none.
    """
    for owner in (tenant_id, SHARED):
        found = vault.connection(connection_key(owner, conn_id))
        if found is not None:
            return found
    raise ConfigError(
        f"there is no connection {conn_id!r}",
        hint=f"create the Airflow connection {connection_key(tenant_id, conn_id)!r} (or "
        f"{connection_key(SHARED, conn_id)!r} for all tenants)",
    )


def connection_key(owner: str, conn_id: str) -> str:
    """The Airflow connection id of a tenant's connection."""
    return f"oneo__{owner}__{conn_id}"
