"""Databases of tenants, in which their tables are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from oneo.database import to_json
from oneo.errors import InfrastructureError


def cause(tenant_id: str, execution_id: UUID | None) -> str:
    """What an execution is called in a database that several tenants may write."""
    return f"{tenant_id}/{execution_id}" if execution_id is not None else ""


class UnsureError(InfrastructureError):
    """The connection was lost in a commit: nobody here can say whether it took place."""


class TableDatabase:
    """A database of a tenant.

    Args:
        url: Its SQLAlchemy URL, with whatever the driver is to be told as its query.
        name: What it is called in messages.
    """

    def __init__(self, url: URL, name: str) -> None:
        self._name = name
        self.url = url
        self._engine = create_engine(
            url,
            pool_size=2,
            max_overflow=10,
            pool_pre_ping=True,
            json_serializer=to_json,
            # Statements end up in error messages, the data in them must not.
            hide_parameters=True,
            connect_args={"application_name": "oneo", "connect_timeout": 5},
        )

    @contextmanager
    def transaction(
        self, tenant_id: str, *, execution_id: UUID | None = None, snapshot: bool = False
    ) -> Iterator[Session]:
        """A transaction; commits at the end, rolls back on an error.

        Args:
            tenant_id: On whose behalf.
            execution_id: The execution that changes rows; capture keeps it with the change.
            snapshot: Whether all that is read in it is as of one moment; then it only reads.

        Raises:
            InfrastructureError: The database does not answer.
            UnsureError: It was lost in the commit.
        """
        session = Session(self._engine, expire_on_commit=False)
        try:
            try:
                session.connection()
            except OperationalError as error:
                raise self._lost("does not answer", error) from None
            if snapshot:
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            session.execute(
                text(
                    "SELECT set_config('TimeZone', 'UTC', true), set_config('oneo.execution', :cause, true)"
                ),
                {"cause": cause(tenant_id, execution_id)},
            )
            yield session
            session.flush()
            try:
                session.commit()
            except DBAPIError as error:
                # A refusal that the server has a code for has rolled back.
                if error.connection_invalidated or getattr(error.orig, "sqlstate", None) is None:
                    raise UnsureError(f"{self._name} was lost while changes were committed") from None
                raise
        finally:
            session.close()

    def _lost(self, what: str, error: Exception) -> InfrastructureError:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        where = self.url.set(password=None).render_as_string(hide_password=True)
        return InfrastructureError(
            f"{self._name} ({where.split('?')[0]}) {what}: {reason}", hint="see the Airflow connection"
        )

    def listen(self, channel: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A raw autocommit connection that listens on a channel.

        Raises:
            InfrastructureError: The database does not answer.
        """
        # As SQLAlchemy connects: a host that is a socket's folder cannot stand in a URL.
        _, options = self._engine.dialect.create_connect_args(self.url)
        own = {"autocommit": True, "application_name": "oneo_listen", "connect_timeout": 5}
        try:
            connection = psycopg.connect(**{**options, **own})
        except psycopg.OperationalError as error:
            raise self._lost("does not answer", error) from None
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        return connection

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()

    def forget(self) -> None:
        """Drop the connections without closing their sockets."""
        self._engine.dispose(close=False)


_OPEN: dict[tuple[URL, str], TableDatabase] = {}


def opened(url: URL, name: str) -> TableDatabase:
    """The database of a URL, one for the process; one whose password is another by now is closed."""
    key = (url.set(password=None), name)
    found = _OPEN.get(key)
    if found is None or found.url != url:
        _OPEN[key] = new = TableDatabase(url, name)
        if found is not None:
            found.dispose()
        return new
    return found


def close_all() -> None:
    """Close all that is open."""
    while _OPEN:
        _OPEN.popitem()[1].dispose()


def _forget_after_fork() -> None:
    for one in _OPEN.values():
        one.forget()


# Airflow forks its workers from processes that may have used one: sockets must not be shared.
os.register_at_fork(after_in_child=_forget_after_fork)
