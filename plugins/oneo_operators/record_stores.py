"""Which store keeps the records of a pipeline, and how its database is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from oneo.errors import ConfigError, PermanentNodeError
from oneo.sql_table.database import TableDatabase, UnsureError, opened
from oneo.sql_table.layout import Layout
from oneo.sql_table.store import TableRecords
from oneo.store import pipelines, sources
from oneo.store.own_records import OwnRecords
from oneo.store.record_store import RecordStore
from oneo.store.table_source import TableSource
from oneo_operators.services import SHARED, Vault, connection_key

if TYPE_CHECKING:
    from contextlib import ExitStack

    from sqlalchemy.orm import Session

    from oneo.database import Database

T = TypeVar("T")


def table_database(vault: Vault, tenant_id: str, source: TableSource) -> TableDatabase:
    """The database of a source, by the tenant's connection or the shared one.

    Raises:
        ConfigError: There is no such connection, or it is not one of PostgreSQL.
    """
    name = source.connection_id
    for owner in (tenant_id, SHARED):
        url = vault.database_url(connection_key(owner, name))
        if url is not None:
            return opened(url, f"the database of connection {name!r}")
    raise ConfigError(
        f"there is no connection {name!r}",
        f"create the Airflow connection {connection_key(tenant_id, name)!r} of type postgres (or "
        f"{connection_key(SHARED, name)!r} for all tenants)",
    )


def record_store(
    session: Session,
    tenant_id: str,
    pipeline_id: str | None,
    *,
    vault: Vault,
    database: Callable[[], Database],
    transaction: ExitStack,
    execution_id: UUID | None = None,
) -> RecordStore:
    """The store of a pipeline's records; without a pipeline, our own.

    Args:
        session: The tenant's session, in which the attempt's log row is written.
        tenant_id: The tenant.
        pipeline_id: The pipeline.
        vault: Where connections are.
        database: Our own store.
        transaction: Ends with the attempt. The transaction of the table's database is entered here after that of our
            own: it commits before, and where it cannot, ours does not.
        execution_id: The execution on whose behalf records change.

    Raises:
        ConfigError: The connection is missing.
        InfrastructureError: The table's database does not answer.
    """
    spec = pipelines.find(session, pipeline_id) if pipeline_id is not None else None
    if spec is None or spec.source is None:
        return OwnRecords(session, tenant_id, spec or pipeline_id, execution_id)
    account = None
    if execution_id is not None:
        account = _Account(session, tenant_id, spec.id, execution_id, database, transaction)
    found = table_database(vault, tenant_id, spec.source)
    table_session = transaction.enter_context(found.transaction(tenant_id, execution_id=execution_id))
    return TableRecords(table_session, tenant_id, Layout(spec), execution_id, account)


class _Account:
    """Remembers in our own store what a node is about to commit elsewhere.

    Args:
        session: The session of the attempt's log row.
        tenant_id: The tenant.
        pipeline_id: The pipeline.
        execution_id: The execution.
        database: Our own store.
        transaction: Ends with the attempt; the transaction of the table's database is not entered yet.
    """

    def __init__(
        self,
        session: Session,
        tenant_id: str,
        pipeline_id: str,
        execution_id: UUID,
        database: Callable[[], Database],
        transaction: ExitStack,
    ) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._pipeline_id = pipeline_id
        self._execution_id = execution_id
        self._database = database
        self._begun: list[str] = []
        transaction.enter_context(self._taking_back())

    def once(self, key: str, work: Callable[[], T]) -> T:
        """What `work` gives.

        A note is committed before the table's database commits, and goes with the node's log row. One that is still
        there is of an attempt that ended between the two. It goes when it has been told of: who repeats the node then
        knows what it may do.
        """
        if sources.is_begun(self._session, self._execution_id, key):
            self._forget(key)
            raise PermanentNodeError(
                f"an earlier attempt ended while it changed pipeline {self._pipeline_id!r}, and nobody can say whether "
                "the change took place",
                "look at the record before you run the node again; where `oneo pipelines connect` may set up the "
                "database, this cannot happen",
            )
        result = work()
        with self._database().tenant(self._tenant_id) as session:
            sources.begin_effect(session, self._tenant_id, self._execution_id, key)
        self._begun.append(key)
        return result

    def wrote(self, key: str) -> None:
        """Note that the row of a key was written by this execution: what polling finds there, it has brought about."""
        sources.note_writer(self._session, self._tenant_id, self._pipeline_id, key, self._execution_id)

    @contextmanager
    def _taking_back(self) -> Iterator[None]:
        try:
            yield
        except UnsureError:
            raise
        except BaseException:
            # The table's database has rolled back.
            for key in self._begun:
                self._forget(key)
            raise
        for key in self._begun:
            sources.end_effect(self._session, self._execution_id, key)

    def _forget(self, key: str) -> None:
        with self._database().tenant(self._tenant_id) as session:
            sources.end_effect(session, self._execution_id, key)
