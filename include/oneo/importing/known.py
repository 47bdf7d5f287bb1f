"""The records that a batch of rows meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from oneo.store import bulk, unique
from oneo.store.bulk import BulkRecord
from oneo.store.record_data import same


class Known:
    """Records by the values of their keys: those of the store, and those the batch brings itself.

    Of several with the same value the oldest counts.

    Args:
        session: A tenant's session.
        pipeline_id: Their pipeline.
        keys: The fields that tell records apart, the surest first.
        rows: The data of the batch.
    """

    def __init__(
        self, session: Session, pipeline_id: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        self._keys = keys
        self._kinds = unique.fields(session, pipeline_id)
        self._records: dict[UUID, BulkRecord] = {}
        self._ids: dict[tuple[str, Any], dict[UUID, None]] = {}
        for key in keys:
            values = [row[key] for row in rows if key in row]
            for record in bulk.having(session, pipeline_id, key, values) if values else ():
                self._records[record.id] = record
                self._ids.setdefault(self._token(key, record.data[key]), {})[record.id] = None
        self._stored = dict(self._records)

    @property
    def new(self) -> Iterable[BulkRecord]:
        """What is to be inserted."""
        return [record for record in self._records.values() if record.id not in self._stored]

    @property
    def changed(self) -> Iterable[BulkRecord]:
        """What is to be updated."""
        return [
            self._records[stored.id]
            for stored in self._stored.values()
            if not same(self._records[stored.id].data, stored.data)
        ]

    def find(self, data: Mapping[str, Any]) -> tuple[str, BulkRecord | None]:
        """The record that has the same value of a key, and which key."""
        for key in self._keys:
            found = self._by(key, data)
            if found is not None:
                return key, found
        return "", None

    def has(self, key: str, data: Mapping[str, Any]) -> bool:
        """Whether a record has the same value of this key."""
        return self._by(key, data) is not None

    def put(self, record: BulkRecord) -> None:
        """A record that the batch brings or changes, as it is by now."""
        before = self._records.get(record.id)
        tokens = self._tokens(record)
        for token in self._tokens(before) - tokens if before is not None else ():
            self._ids.get(token, {}).pop(record.id, None)
        for token in tokens:
            self._ids.setdefault(token, {})[record.id] = None
        self._records[record.id] = record

    def _tokens(self, record: BulkRecord) -> set[tuple[str, Any]]:
        return {self._token(key, record.data[key]) for key in self._keys if record.data.get(key) is not None}

    def _by(self, key: str, data: Mapping[str, Any]) -> BulkRecord | None:
        if data.get(key) is None:
            return None
        found = next(iter(self._ids.get(self._token(key, data[key]), ())), None)
        return None if found is None else self._records[found]

    def _token(self, key: str, value: Any) -> tuple[str, Any]:
        """A key's value to look up by: 1 is 1.0, but neither is true; in a unique field, however it is spelled."""
        if key in self._kinds:
            value = unique.spelled(key, self._kinds[key], value)
        return key, (type(value) is bool, repr(value) if isinstance(value, list | dict) else value)
