"""Our own store as a `RecordStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from oneo.errors import ConfigError
from oneo.store import deletion, duplicates, locks, pipelines, records, relations, search, totals
from oneo.store.changes import Changes
from oneo.store.duplicates import Strategy
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_store import RecordPage, StoredRecord
from oneo.store.totals import Function

T = TypeVar("T")


@dataclass(frozen=True)
class OwnRecord:
    """A record of our own store.

    Attributes:
        row: Its row.
    """

    row: Record

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.row.id)

    @property
    def pipeline_id(self) -> str:
        """Its pipeline."""
        return self.row.pipeline_id

    @property
    def version(self) -> int:
        """How often it has changed."""
        return self.row.version

    @property
    def values(self) -> Mapping[str, Any]:
        """Its fields that have a value."""
        return records.values_of(self.row)

    @property
    def view(self) -> dict[str, Any]:
        """It, as expressions see it."""
        return records.view(self.row)


class OwnRecords:
    """Records of our own store.

    What is done here commits with the node's log row: `once` has nothing to remember.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        pipeline: The pipeline or its id; without one, records of any are found by their ids.
        execution_id: The execution on whose behalf records are created, from which their ids follow.
    """

    def __init__(
        self,
        session: Session,
        tenant_id: str,
        pipeline: PipelineSpec | str | None,
        execution_id: UUID | None = None,
    ) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._pipeline = pipeline
        self._execution_id = execution_id

    @cached_property
    def spec(self) -> PipelineSpec:
        """The pipeline."""
        if self._pipeline is None:
            raise ConfigError("no pipeline is named", "set pipeline_id")
        if isinstance(self._pipeline, PipelineSpec):
            return self._pipeline
        return pipelines.get(self._session, self._pipeline)

    def once(self, key: str | None, work: Callable[[], T]) -> T:
        """What `work` gives."""
        return work()

    def find_one(self, record_id: str) -> OwnRecord | None:
        """The record; None where there is none, or it was deleted."""
        row = records.find_one(self._session, record_id)
        return OwnRecord(row) if row is not None else None

    def get(self, record_id: str) -> OwnRecord:
        """The record, locked."""
        return OwnRecord(records.get(self._session, record_id, lock=True))

    def locate(self, record_id: str) -> OwnRecord:
        """The record, locked, be it deleted or not."""
        return OwnRecord(deletion.locate(self._session, record_id))

    def find(self, filters: Mapping[str, Any], *, limit: int) -> list[OwnRecord]:
        """The oldest records that fit, locked."""
        rows = records.find(self._session, self.spec.id, filters, limit=limit, lock=True)
        return [OwnRecord(row) for row in rows]

    def page(
        self, filters: Mapping[str, Any], *, sort: Mapping[str, int], limit: int, cursor: str | None
    ) -> RecordPage:
        """Records that fit, in order."""
        found = search.page(self._session, self.spec.id, filters, sort=sort, limit=limit, cursor=cursor)
        return RecordPage([records.view(row) for row in found.rows], found.cursor)

    def count(self, filters: Mapping[str, Any]) -> int:
        """How many records fit."""
        return records.count(self._session, self.spec.id, filters)

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
        about = (self._session, self.spec.id, filters, fields)
        return totals.totals(*about, functions=functions, group_by=group_by, limit=limit)

    def duplicate(
        self, data: Mapping[str, Any], names: Sequence[str] | None, strategy: Strategy
    ) -> OwnRecord | None:
        """The oldest record with the same values, locked; who looks for the same ones waits."""
        wanted = names or duplicates.default_fields(self.spec)
        row = duplicates.find(self._session, self._tenant_id, self.spec.id, data, wanted, strategy)
        return OwnRecord(row) if row is not None else None

    def lock_values(self, values: Iterable[tuple[str, Any]]) -> None:
        """Make everybody wait who is about to create what has one of these (field, value) pairs."""
        locks.lock_values(self._session, self._tenant_id, self.spec.id, values)

    def create(self, data: Mapping[str, Any], *, name: str | None, skip_validation: bool) -> OwnRecord:
        """A new record."""
        if not skip_validation:
            pipelines.check(self.spec, data)
        own = uuid5(self._execution_id, name) if self._execution_id and name else None
        return OwnRecord(records.create(self._session, self._tenant_id, self.spec.id, data, record_id=own))

    def update(self, record: StoredRecord, changes: Changes, *, skip_validation: bool) -> list[str]:
        """Change a locked record; returns the names of the fields that really changed."""
        row = _row(record)
        before = records.values_of(row)
        changed = records.update(self._session, row, changes)
        if changed and not skip_validation:
            mine = isinstance(self._pipeline, PipelineSpec) and self.spec.id == row.pipeline_id
            spec = self.spec if mine else pipelines.get(self._session, row.pipeline_id)
            pipelines.check(spec, records.values_of(row), before)
        return changed

    def delete(self, record: StoredRecord, *, soft: bool, archive: bool, cascade: bool) -> list[str]:
        """Delete a locked record; returns the ids of the children that went with it."""
        go = deletion.delete if soft else deletion.remove
        children = go(self._session, _row(record), archive=archive, cascade=cascade)
        return [str(child.id) for child in children]

    def restore(self, record: StoredRecord) -> list[str]:
        """Bring back a locked record; returns the ids of the children that came back with it."""
        return [str(child.id) for child in deletion.restore(self._session, _row(record))]

    def relate(self, parent_id: str, record: StoredRecord, kind: str, *, cascades: bool) -> None:
        """Note that a record belongs to another."""
        parent = records.get(self._session, parent_id)
        relations.relate(self._session, parent, _row(record), kind, cascades=cascades)


def _row(record: StoredRecord) -> Record:
    return cast("OwnRecord", record).row
