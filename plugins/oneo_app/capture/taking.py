"""What has changed in the tables of pipelines, taken in once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from oneo.database import Database
from oneo.errors import ConfigError, UserError
from oneo.sql_table import ledger
from oneo.sql_table.database import TableDatabase
from oneo.sql_table.layout import Layout
from oneo.sql_table.polling import poll
from oneo.sql_table.reading import read
from oneo.store import pipelines, sources
from oneo.store.pipelines import PipelineSpec
from oneo.store.table_source import TableSource
from oneo_operators.record_stores import table_database
from oneo_operators.services import Vault


@dataclass(frozen=True)
class Captured:
    """A pipeline whose table's changes are read.

    Attributes:
        tenant_id: Whose it is.
        spec: The pipeline; it has a source with a capture.
    """

    tenant_id: str
    spec: PipelineSpec

    @property
    def layout(self) -> Layout:
        """Its table."""
        return Layout(self.spec)

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"{self.tenant_id}/{self.spec.id}"

    @property
    def polls(self) -> bool:
        """Whether changes are looked for, and not told."""
        return self.layout.source.capture == "polling"

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from another, and from itself once it is applied anew."""
        return self.name, self.spec.model_dump_json()


def reached(vault: Vault, tenant_id: str, source: TableSource) -> TableDatabase:
    """The database of a source, for whoever is no node.

    Raises:
        UserError: Its connection is missing.
    """
    try:
        return table_database(vault, tenant_id, source)
    except ConfigError as error:
        raise UserError(error.message, hint=error.hint) from None


def of_tenant(store: Database, tenant_id: str, pipeline_ids: Iterable[str] = ()) -> list[Captured]:
    """The captured pipelines of a tenant, or those of them that are named.

    Raises:
        NotFoundError: No such pipeline.
        UserError: One is not captured.
    """
    with store.tenant(tenant_id) as session:
        named = [pipelines.get(session, one) for one in pipeline_ids]
        specs = named or pipelines.all_pipelines(session)
    plain = [one.id for one in named if one.source is None or one.source.capture == "none"]
    if plain:
        raise UserError(
            f"nothing is captured for {', '.join(map(repr, plain))}",
            hint="give its source a `capture`: trigger or polling",
        )
    return [Captured(tenant_id, one) for one in specs if one.source and one.source.capture != "none"]


def of_all(store: Database) -> list[Captured]:
    """The captured pipelines of all tenants."""
    with store.system() as session:
        return [Captured(*one) for one in sources.captured(session)]


def take(store: Database, there: TableDatabase, one: Captured) -> int:
    """Take in what has changed; returns how many events that made.

    Raises:
        UserError: The database is not set up for it.
        InfrastructureError: It does not answer.
    """
    if one.polls:
        return poll(store, there, one.tenant_id, one.layout)
    count = 0
    while (written := read(store, there, one.tenant_id, one.layout)) is not None:
        count += written
    return count


def clean(there: TableDatabase, one: Captured) -> None:
    """Forget effects of long ago, where the database keeps account of them."""
    with there.transaction(one.tenant_id) as session:
        if ledger.is_kept(session, "applied", "SELECT", "DELETE"):
            ledger.clean(session)
