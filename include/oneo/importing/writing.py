"""Batches of rows into the store: new records, known ones, and duplicates as the policy has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from oneo.errors import DuplicateError, InvalidRecordError, QuotaError
from oneo.importing.fitting import Fitting
from oneo.importing.known import Known
from oneo.store import bulk, quotas, unique
from oneo.store.bulk import BulkRecord
from oneo.store.locks import lock_values
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_data import SYSTEM_FIELDS, checked

Duplicates = Literal["update", "skip", "error", "create"]


@dataclass(frozen=True)
class Outcome:
    """What became of a row.

    Attributes:
        action: `rejected` where `problems` says why.
        record_id: The record it became, changed or found.
    """

    action: Literal["created", "updated", "skipped", "rejected"]
    record_id: UUID | None = None
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Given:
    """A row as read: its line, and the data it holds or why it holds none."""

    line: int
    data: dict[str, Any]
    problems: Sequence[str]


class Writer:
    """Writes the rows of one file.

    The record of a row has an id that follows from the file and the line: a file that is imported again, after a
    crash or by mistake, finds what it has become already.

    Args:
        tenant_id: Whose records.
        spec: Their pipeline.
        key_field: Field that tells duplicates beside `external_id`; without, the pipeline's unique fields do.
        duplicates: What becomes of a row whose record is known.
        namespace: The file, as a UUID.
    """

    def __init__(
        self,
        tenant_id: str,
        spec: PipelineSpec,
        *,
        key_field: str | None,
        duplicates: Duplicates,
        namespace: UUID,
    ) -> None:
        self._tenant_id = tenant_id
        self._spec = spec
        self._fitting = Fitting(spec)
        declared = [field.id for field in spec.fields if field.id not in SYSTEM_FIELDS]
        unique = [field.id for field in spec.fields if field.unique and field.id in declared]
        self._keys = ["external_id", *(unique if key_field is None else {key_field} & set(declared))]
        self._duplicates = duplicates
        self._namespace = namespace

    def write(self, session: Session, rows: Sequence[Given], *, lock: bool = True) -> list[Outcome]:
        """Write rows; what becomes of each, in their order.

        Args:
            session: A tenant's session.
            rows: The rows.
            lock: Whether another import that brings the same new record waits for this one, and then finds it.
        """
        good = [row for row in rows if not row.problems]
        if lock:
            values = [(key, row.data[key]) for row in good for key in self._keys if key in row.data]
            lock_values(session, self._tenant_id, self._spec.id, values)
        ids, taken = self._ids(session, good)
        known = Known(session, self._spec.id, self._keys, [row.data for row in good])
        places = quotas.RecordPlaces(session, self._tenant_id, lock=lock)
        outcomes = [
            self._one(row.data, ids[row.line], ids[row.line] in taken, known, places)
            if row.line in ids
            else Outcome("rejected", problems=row.problems)
            for row in rows
        ]
        refused = self._store(session, known)
        return [
            Outcome("rejected", problems=[refused[one.record_id]]) if one.record_id in refused else one
            for one in outcomes
        ]

    def _store(self, session: Session, known: Known) -> dict[UUID | None, str]:
        """Write what is new and what changed; the records that a unique field refuses, and why."""
        new, changed = list(known.new), list(known.changed)
        try:
            self._write(session, new, changed)
        except DuplicateError:
            refused: dict[UUID | None, str] = {}
            # One by one, so that the others of the batch come in.
            for one in new:
                refused |= self._refusal(session, [one], [])
            for one in changed:
                refused |= self._refusal(session, [], [one])
            return refused
        return {}

    def _refusal(
        self, session: Session, new: list[BulkRecord], changed: list[BulkRecord]
    ) -> dict[UUID | None, str]:
        try:
            self._write(session, new, changed)
        except DuplicateError as error:
            return {one.id: error.message for one in (*new, *changed)}
        return {}

    def _write(self, session: Session, new: list[BulkRecord], changed: list[BulkRecord]) -> None:
        with unique.refusing(session, self._spec.id):
            bulk.insert(session, self._tenant_id, self._spec.id, new)
            bulk.update(session, self._tenant_id, self._spec.id, changed)

    def _ids(self, session: Session, rows: Iterable[Given]) -> tuple[dict[int, UUID], set[UUID]]:
        """The id of each line's record, and those that are there already."""
        ids = {row.line: uuid5(self._namespace, str(row.line)) for row in rows}
        taken = bulk.known_ids(session, ids.values())
        while any(taken.values()):
            # What was deleted since is imported anew, under the next id of its line.
            again = {line: uuid5(one, "again") for line, one in ids.items() if taken.get(one)}
            ids |= again
            taken = {one: gone for one, gone in taken.items() if not gone}
            taken |= bulk.known_ids(session, again.values())
        return ids, set(taken)

    def _one(
        self, given: dict[str, Any], own_id: UUID, is_there: bool, known: Known, places: quotas.RecordPlaces
    ) -> Outcome:
        key, target = known.find(given)
        is_own = is_there and (target is None or target.id == own_id)
        if is_own and (target is None or self._duplicates != "update"):
            return Outcome("skipped", own_id)
        if target is not None:
            if self._duplicates == "skip":
                return Outcome("skipped", target.id)
            if self._duplicates == "error":
                return Outcome("rejected", problems=[f"{key}: {given[key]!r} has record {target.id} already"])
        try:
            data = checked(given)
            if target is not None and self._duplicates == "update":
                # An empty cell leaves a known record's value as it is, and no row the id by which others find it.
                kept = {name: target.data[name] for name in ("external_id",) if name in target.data}
                return self._put(BulkRecord(target.id, {**target.data, **data, **kept}), known, "updated")
            if known.has("external_id", data):
                del data["external_id"]  # another system's id leads to one record only
            return self._put(BulkRecord(own_id, data), known, "created", places)
        except (InvalidRecordError, QuotaError) as error:
            return Outcome("rejected", problems=[error.message])

    def _put(
        self,
        record: BulkRecord,
        known: Known,
        action: Literal["created", "updated"],
        places: quotas.RecordPlaces | None = None,
    ) -> Outcome:
        problems = self._fitting.problems(dict(record.data))
        if problems:
            return Outcome("rejected", problems=problems)
        if places is not None:
            places.take(record.data)
        known.put(record)
        return Outcome(action, record.id)
