"""Connections to the oneo database, each as one of three roles.

`oneo_app` sees the rows of the tenant set for its transaction, and no rows where none is set.
`oneo_system` (dispatcher, bundle) sees all tenants but may write only what moves work along.
`oneo_removal` sees what `oneo_app` sees, and may delete all of it.
None owns a table, so row-level security binds them (see the first migration).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from oneo.errors import InfrastructureError
from oneo.settings import settings

Role = Literal["oneo_app", "oneo_system", "oneo_removal"]
# Whoever listens reads nothing: notifications carry no data.
_LISTENING: Any = {"options": "-c role=oneo_app", "application_name": "oneo_listen", "connect_timeout": 5}


def to_json(value: Any) -> str:
    """Serialise for a JSON column; dates and spans of time as ISO 8601, decimals as numbers.

    Raises:
        ValueError: NaN and infinities, which JSON does not know.
        TypeError: Any other type.
    """
    return json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)


def plain_json(value: Any) -> Any:
    """`value` as plain JSON data: dates and spans of time as ISO 8601 text, decimals as numbers."""
    return json.loads(to_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        from oneo.expressions.calendar import iso_duration  # noqa: PLC0415 - few values are spans of time

        return iso_duration(value)
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


class Database:
    """The oneo database of one URL; engines are opened on first use, one per role.

    Args:
        url: SQLAlchemy URL (`postgresql+psycopg://…`; a plain `postgresql://` is accepted).
        pool_size: Connections kept open per role.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        parsed = make_url(url)
        self.url: URL = parsed.set(drivername="postgresql+psycopg")
        self._pool_size = pool_size
        self._engines: dict[Role, Engine] = {}

    def engine(self, role: Role) -> Engine:
        """The engine whose connections act as `role` from their first statement on."""
        if role not in self._engines:
            engine = create_engine(
                self.url,
                pool_size=self._pool_size,
                max_overflow=10,
                # A restarted server costs an idle process no error: some 0.1 ms per transaction.
                pool_pre_ping=True,
                json_serializer=to_json,
                # Statements end up in error messages, the data in them must not.
                hide_parameters=True,
                # `role` as a start-up option is also what RESET ROLE returns to.
                connect_args={"options": f"-c role={role}", "application_name": role, "connect_timeout": 5},
            )
            # Of two threads that are here at once, both use the engine of the first.
            self._engines.setdefault(role, engine)
        return self._engines[role]

    @contextmanager
    def tenant(
        self,
        tenant_id: str,
        *,
        execution_id: UUID | None = None,
        actor: str | None = None,
        durable: bool = True,
    ) -> Iterator[Session]:
        """A transaction that sees one tenant's rows only; commits at the end, rolls back on an error.

        Args:
            tenant_id: The tenant.
            execution_id: The execution on whose behalf records are written; it is kept with each record event.
            actor: Who changes records; kept in their history. Default: who started the execution.
            durable: Whether the commit waits for the disk. Without, a crash of the server (not of the caller) may
                lose it: for what would be written again.

        Raises:
            InfrastructureError: The database cannot be reached.
        """
        with self._session("oneo_app") as session:
            session.execute(
                text(
                    "SELECT set_config('oneo.tenant', :tenant, true),"
                    " set_config('oneo.execution', :execution, true),"
                    " set_config('oneo.actor', :actor, true),"
                    " set_config('synchronous_commit', :durable, true)"
                ),
                {
                    "tenant": tenant_id,
                    "execution": str(execution_id or ""),
                    "actor": actor or "",
                    "durable": "on" if durable else "off",
                },
            )
            yield session

    @contextmanager
    def system(self) -> Iterator[Session]:
        """A transaction of the system role, across tenants."""
        with self._session("oneo_system") as session:
            yield session

    @contextmanager
    def removal(self, tenant_id: str) -> Iterator[Session]:
        """A transaction that sees one tenant's rows only and may delete them in every table."""
        with self._session("oneo_removal") as session:
            session.execute(text("SELECT set_config('oneo.tenant', :tenant, true)"), {"tenant": tenant_id})
            yield session

    @contextmanager
    def _session(self, role: Role) -> Iterator[Session]:
        session = Session(self.engine(role), expire_on_commit=False)
        try:
            with session.begin():
                # The first statement connects: a database that is down shows here, with a message of its own.
                try:
                    session.connection()
                except OperationalError as error:
                    raise unreachable(self.url, error) from error
                yield session
        finally:
            session.close()

    def listen(self, *channels: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A raw autocommit connection that listens on `channels` (PostgreSQL LISTEN)."""
        try:
            connection = psycopg.connect(self._dsn, autocommit=True, **_LISTENING)
        except psycopg.OperationalError as error:
            raise unreachable(self.url, error) from error
        for channel in channels:
            connection.execute(_listen_to(channel))
        return connection

    async def listen_async(self, *channels: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """The same for an event loop, which it does not hold up."""
        try:
            connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, **_LISTENING)
        except psycopg.OperationalError as error:
            raise unreachable(self.url, error) from error
        for channel in channels:
            await connection.execute(_listen_to(channel))
        return connection

    @property
    def _dsn(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def dispose(self) -> None:
        """Close every pooled connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def close(self) -> None:
        """Close every pooled connection; the engines stay, with the statements they have compiled."""
        for engine in self._engines.values():
            engine.dispose()

    def forget(self) -> None:
        """Drop the connections without closing their sockets: what a forked child must do with its parent's."""
        for engine in self._engines.values():
            engine.dispose(close=False)


def _listen_to(channel: str) -> psycopg.sql.Composed:
    return psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel))


def unreachable(url: URL, error: Exception) -> InfrastructureError:
    """The error for a database that does not answer, with what to do about it."""
    reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return InfrastructureError(
        f"the oneo database at {url.render_as_string(hide_password=True)} does not answer: {reason}",
        hint="start the stack with `oneo up`, or check ONEO_DATABASE_URL",
    )


@lru_cache(maxsize=1)
def database() -> Database:
    """The database of this process's settings.

    Raises:
        InfrastructureError: No database is configured.
    """
    url = settings().database_url
    if not url:
        raise InfrastructureError(
            "no oneo database is configured", hint="start the stack with `oneo up`, or set ONEO_DATABASE_URL"
        )
    return Database(url)


def migrate(owner_url: str) -> None:
    """Bring the database to the newest schema; does nothing where it is there already.

    Args:
        owner_url: URL of a user who owns the database and may create roles.
    """
    from alembic import command  # noqa: PLC0415 - needed by set-up only
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = make_url(owner_url).set(drivername="postgresql+psycopg")
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise unreachable(config.attributes["url"], error) from error


def _forget_after_fork() -> None:
    if database.cache_info().currsize:
        database().forget()


# Airflow forks its workers from processes that may have used the database: sockets must not be shared.
os.register_at_fork(after_in_child=_forget_after_fork)
