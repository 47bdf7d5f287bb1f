"""Secrets and connections from Airflow, through whichever secrets backend it is configured with."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL

from oneo.errors import ConfigError
from oneo_operators.services import Connection, private_values


class AirflowVault:
    """Airflow's variables and connections as a `Vault`; works inside a task and outside."""

    def secret(self, key: str) -> str | None:
        """The Airflow variable of that key."""
        from airflow.sdk import Variable  # noqa: PLC0415 - only when a secret is read
        from airflow.sdk.log import mask_secret  # noqa: PLC0415

        value: str | None = Variable.get(key, default=None)
        if value:
            # Airflow itself masks only what stands under a name such as `password`.
            mask_secret(value)
        return value

    def connection(self, conn_id: str) -> Connection | None:
        """The Airflow connection of that id."""
        found = _airflow_connection(conn_id)
        if found is None:
            return None
        return Connection(
            id=conn_id,
            kind=found.conn_type,
            host=found.host,
            port=found.port,
            scheme=found.schema,
            login=found.login,
            password=found.password,
            extra=found.extra_dejson,
        )

    def database_url(self, conn_id: str) -> URL | None:
        """The Airflow connection of that id, of type postgres, as Airflow's provider reads it."""
        found = _airflow_connection(conn_id)
        if found is None:
            return None
        if found.conn_type != "postgres":
            raise ConfigError(
                f"connection {conn_id!r} is of type {found.conn_type!r}",
                "a table of yours needs one of type postgres",
            )
        from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: PLC0415 - heavy

        hook = PostgresHook(connection=found, sqlalchemy_scheme="postgresql+psycopg")
        url: URL = hook.sqlalchemy_url
        # sslmode and its like are the driver's, which reads them in the URL.
        return url.update_query_dict(
            {
                name: str(value)
                for name, value in found.extra_dejson.items()
                if name not in PostgresHook.ignored_extra_options and value is not None
            }
        )


def _airflow_connection(conn_id: str) -> Any:
    """Airflow's own connection, its secrets masked in logs from here on."""
    from airflow.sdk import Connection as AirflowConnection  # noqa: PLC0415
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415
    from airflow.sdk.log import mask_secret  # noqa: PLC0415

    try:
        found = AirflowConnection.get(conn_id)
    except AirflowNotFoundException:
        return None
    for value in private_values(found.password, found.extra_dejson):
        mask_secret(value)
    return found
