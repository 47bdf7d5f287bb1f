"""The seam between nodes and what keeps the records of a pipeline: our own store, or a table of the tenant's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from oneo.store.changes import Changes
from oneo.store.duplicates import Strategy
from oneo.store.pipelines import PipelineSpec
from oneo.store.totals import Function

T = TypeVar("T")


class StoredRecord(Protocol):
    """A record at hand, as it is after what was last done to it."""

    @property
    def id(self) -> str:
        """Its id, as nodes and expressions know it."""

    @property
    def pipeline_id(self) -> str:
        """Its pipeline."""

    @property
    def version(self) -> int | None:
        """How often it has changed; None where nobody counts."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Its fields that have a value."""

    @property
    def view(self) -> dict[str, Any]:
        """It, as expressions see it."""


@dataclass(frozen=True)
class RecordPage:
    """Records in order, as expressions see them, and where the next page starts: None where there is none."""

    views: list[dict[str, Any]]
    cursor: str | None


class RecordStore(Protocol):
    """What nodes ask of the store of a pipeline's records, in one transaction.

    What a store cannot do, it refuses with a `ConfigError` that names the option. Everything else raises what
    `oneo.store.records` raises for the same.
    """

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline.

        Raises:
            ConfigError: None was named.
        """

    def once(self, key: str | None, work: Callable[[], T]) -> T:
        """What `work` gives; if it was done before under this key and has been committed, what it gave then.

        Raises:
            PermanentNodeError: Nobody can say whether it was done before.
        """

    def find_one(self, record_id: str) -> StoredRecord | None:
        """The record; None where there is none, or it was deleted."""

    def get(self, record_id: str) -> StoredRecord:
        """The record, locked."""

    def locate(self, record_id: str) -> StoredRecord:
        """The record, locked, be it deleted or not."""

    def find(self, filters: Mapping[str, Any], *, limit: int) -> Sequence[StoredRecord]:
        """The oldest records that fit, locked."""

    def page(
        self, filters: Mapping[str, Any], *, sort: Mapping[str, int], limit: int, cursor: str | None
    ) -> RecordPage:
        """Records that fit, in order."""

    def count(self, filters: Mapping[str, Any]) -> int:
        """How many records fit."""

    def totals(
        self,
        filters: Mapping[str, Any],
        fields: Sequence[str],
        *,
        functions: Sequence[Function],
        group_by: Sequence[str] = (),
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Totals over the records that fit."""

    def duplicate(
        self, data: Mapping[str, Any], names: Sequence[str] | None, strategy: Strategy
    ) -> StoredRecord | None:
        """The oldest record with the same values, locked; who looks for the same ones waits.

        Args:
            data: The values.
            names: Fields to compare; None for those that tell duplicates of the pipeline.
            strategy: Whether one of them is enough.
        """

    def lock_values(self, values: Iterable[tuple[str, Any]]) -> None:
        """Make everybody wait who is about to create what has one of these (field, value) pairs."""

    def create(self, data: Mapping[str, Any], *, name: str | None, skip_validation: bool) -> StoredRecord:
        """A new record; its id follows from `name`, where the store gives it one."""

    def update(self, record: StoredRecord, changes: Changes, *, skip_validation: bool) -> list[str]:
        """Change a locked record; returns the names of the fields that really changed."""

    def delete(self, record: StoredRecord, *, soft: bool, archive: bool, cascade: bool) -> list[str]:
        """Delete a locked record; returns the ids of the children that went with it."""

    def restore(self, record: StoredRecord) -> list[str]:
        """Bring back a locked record; returns the ids of the children that came back with it."""

    def relate(self, parent_id: str, record: StoredRecord, kind: str, *, cascades: bool) -> None:
        """Note that a record belongs to another."""
