"""A table of a tenant's database as a `RecordStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID, uuid5

from psycopg.errors import UniqueViolation
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from oneo.errors import ConfigError, DuplicateError, InvalidRecordError, NotFoundError, UserError
from oneo.filters.values import moment
from oneo.sql_table import ledger, writing
from oneo.sql_table.layout import Layout, TableRecord
from oneo.sql_table.search import TableSearch
from oneo.store import locks, pipelines
from oneo.store.changes import Changes, changed_values
from oneo.store.duplicates import Strategy, default_fields
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_data import RESERVED_FIELDS, checked, same
from oneo.store.record_store import RecordPage, StoredRecord
from oneo.store.totals import Function
from oneo.suggest import did_you_mean

T = TypeVar("T")


class Account(Protocol):
    """Remembers effects on behalf of databases that do not do so themselves, and which rows were written by whom."""

    def once(self, key: str, work: Callable[[], T]) -> T:
        """What `work` gives.

        Raises:
            PermanentNodeError: It was begun before, and nobody can say whether it was committed.
        """

    def wrote(self, key: str) -> None:
        """Note that the row of a key was written."""


class TableRecords:
    """Records in a table.

    Args:
        session: A session of the table's database.
        tenant_id: The tenant.
        layout: The table.
        execution_id: The execution on whose behalf records change.
        account: Where effects are remembered, should the database not do so.
    """

    def __init__(
        self,
        session: Session,
        tenant_id: str,
        layout: Layout,
        execution_id: UUID | None = None,
        account: Account | None = None,
    ) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._layout = layout
        self._execution_id = execution_id
        self._account = account
        self._search = TableSearch(session, layout)

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline."""
        return self._layout.spec

    def once(self, key: str | None, work: Callable[[], T]) -> T:
        """What `work` gives; if it was done before under this key and has been committed, what it gave then."""
        if key is None or self._execution_id is None:
            return work()
        whole = f"{self._tenant_id}/{self._execution_id}/{key}"
        if ledger.is_kept(self._session, "applied", "SELECT", "INSERT", "UPDATE"):
            return ledger.once(self._session, whole, work)
        return work() if self._account is None else self._account.once(key, work)

    def find_one(self, record_id: str) -> TableRecord | None:
        """The record; None where there is none, or it was deleted."""
        found = self._search.one(record_id)
        return found if found is not None and not found.deleted else None

    def get(self, record_id: str) -> TableRecord:
        """The record, locked."""
        found = self._search.one(record_id, lock=True)
        if found is None or found.deleted:
            raise NotFoundError(
                f"there is no record {record_id} in pipeline {self.spec.id!r}",
                hint=f"give the {self._layout.source.key} of an existing row",
            )
        return found

    def locate(self, record_id: str) -> TableRecord:
        """The record, locked, be it deleted or not."""
        return self._search.one(record_id, lock=True) or self.get(record_id)

    def find(self, filters: Mapping[str, Any], *, limit: int) -> list[TableRecord]:
        """The oldest records that fit, locked."""
        return self._search.find(filters, limit=limit)

    def page(
        self, filters: Mapping[str, Any], *, sort: Mapping[str, int], limit: int, cursor: str | None
    ) -> RecordPage:
        """Records that fit, in order."""
        return self._search.page(filters, sort=sort, limit=limit, cursor=cursor)

    def count(self, filters: Mapping[str, Any]) -> int:
        """How many records fit."""
        return self._search.count(filters)

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
        return self._search.totals(filters, fields, functions=functions, group_by=group_by, limit=limit)

    def duplicate(
        self, data: Mapping[str, Any], names: Sequence[str] | None, strategy: Strategy
    ) -> TableRecord | None:
        """The oldest record with the same values, locked; who looks for the same ones waits."""
        known = self._layout.columns
        wanted = list(names) if names else [name for name in default_fields(self.spec) if name in known]
        self._check_known(wanted, "duplicate_fields")
        values = [(name, data[name]) for name in wanted if data.get(name) not in (None, "")]
        self.lock_values(values)
        if not values or (strategy == "all" and len(values) < len(wanted)):
            return None
        alike = [[one.id for one in self._search.equal(*value)] for value in values]
        if strategy == "any":
            found = [ids[0] for ids in alike if ids]
        else:
            found = [one for one in alike[0] if all(one in others for others in alike[1:])]
        return self.get(found[0]) if found else None

    def lock_values(self, values: Iterable[tuple[str, Any]]) -> None:
        """Make everybody wait who is about to create what has one of these (field, value) pairs."""
        locks.lock_values(self._session, self._tenant_id, self.spec.id, values)

    def create(self, data: Mapping[str, Any], *, name: str | None, skip_validation: bool) -> TableRecord:
        """A new row; where its key is a UUID, it follows from the execution and `name`."""
        given = checked(data)
        self._check_known(given, "record_data")
        if not skip_validation:
            pipelines.check(self.spec, given)
        layout, source = self._layout, self._layout.source
        values = {**writing.beside_new(layout), **writing.written(layout, given)}
        own = None
        if source.key not in values and layout.kind(source.key) == "uuid" and self._execution_id and name:
            own = str(uuid5(self._execution_id, name))
            values[source.key] = writing.param(own)
        statement = insert_or_leave(layout.table).values(values)
        if own is not None:
            # Whoever repeats a node whose log row was lost means the same row.
            statement = statement.on_conflict_do_nothing(index_elements=[layout.key])
        with self._refusing(given):
            row = self._session.execute(statement.returning(*layout.selected)).one_or_none()
        record = layout.record(row) if row is not None else self.get(str(own))
        self._wrote(record)
        return record

    def update(self, record: StoredRecord, changes: Changes, *, skip_validation: bool) -> list[str]:
        """Change a locked row; returns the names of the fields that really changed."""
        held, layout, source = cast("TableRecord", record), self._layout, self._layout.source
        before = dict(held.values)
        after = changed_values(before, changes)
        names = [name for name in after if not same(after[name], before.get(name))]
        names += sorted(before.keys() - after.keys())
        names = [name for name in names if not self._same_time(name, after.get(name), before.get(name))]
        self._check_known(names, "the changes")
        if not names:
            return []
        data = {name: after.get(name) for name in names}
        values = writing.written(layout, data)
        if source.key in values:
            raise InvalidRecordError(
                f"column {source.key!r} tells rows and cannot change", hint="leave it out"
            )
        if not skip_validation:
            there = {name: value for name, value in after.items() if value is not None}
            pipelines.check(self.spec, there, before)
        with self._refusing(data):
            self._change(held, {**writing.beside_changed(layout), **values})
        return [name for name in names if not same(held.values.get(name), before.get(name))]

    def delete(self, record: StoredRecord, *, soft: bool, archive: bool, cascade: bool) -> list[str]:
        """Delete a locked row; a table has no children."""
        self._refuse("archive_before_delete", archive, "its rows have no history; leave the option out")
        self._refuse("cascade_delete", cascade, "give its foreign keys ON DELETE CASCADE instead")
        held, layout, source = cast("TableRecord", record), self._layout, self._layout.source
        if not soft:
            self._session.execute(delete(layout.table).where(layout.is_row(held.id)))
            self._wrote(held)
            return []
        if source.deleted_at is None:
            self._refuse("soft_delete", True, "set it to false, or map a deleted_at column in the source")
        if held.deleted:
            raise UserError(f"record {held.id} was deleted already", hint="nothing is left to do")
        self._mark(held, deleted=True)
        return []

    def restore(self, record: StoredRecord) -> list[str]:
        """Bring back a locked row that is marked as deleted."""
        held = cast("TableRecord", record)
        self._refuse(
            "restore", self._layout.source.deleted_at is None, "map a deleted_at column in the source"
        )
        if not held.deleted:
            raise UserError(f"record {held.id} is not deleted", hint="give the id of a deleted record")
        self._mark(held, deleted=False)
        return []

    def relate(self, parent_id: str, record: StoredRecord, kind: str, *, cascades: bool) -> None:
        """Refused: relations are columns of the table."""
        self._refuse("parent_id", True, "map the column of the foreign key, and set that field")

    def _refuse(self, option: str, is_set: bool, instead: str) -> None:
        if is_set:
            raise ConfigError(
                f"{option}: the records of pipeline {self.spec.id!r} are in the table {self._layout.source.table!r}, "
                "where this cannot be done",
                instead,
            )

    def _check_known(self, names: Iterable[str], place: str) -> None:
        known = self._layout.columns
        unknown = [one for one in names if one not in known and one not in RESERVED_FIELDS]
        if unknown:
            hints = dict.fromkeys(did_you_mean(one, known) for one in unknown)
            raise InvalidRecordError(
                f"{place}: pipeline {self.spec.id!r} has no field {', '.join(map(repr, unknown))}",
                hint="; ".join(hints) + "; map its column in source.fields first",
            )

    def _same_time(self, name: str, after: Any, before: Any) -> bool:
        """Whether two texts are the same moment, in a field of moments."""
        if self._layout.types.get(name) not in ("date", "datetime") or None in (after, before):
            return False
        return moment(after) is not None and moment(after) == moment(before)

    def _mark(self, held: TableRecord, *, deleted: bool) -> None:
        column = str(self._layout.source.deleted_at)
        mark = {column: writing.now(self._layout, column) if deleted else None}
        self._change(held, {**writing.beside_changed(self._layout), **mark})

    def _change(self, held: TableRecord, values: Mapping[str, Any]) -> None:
        """Write columns of a row, and look at it as it is then."""
        layout = self._layout
        statement = update(layout.table).where(layout.is_row(held.id)).values(values)
        row = self._session.execute(statement.returning(*layout.selected)).one()
        held.__dict__.update(layout.record(row).__dict__)
        self._wrote(held)

    def _wrote(self, record: TableRecord) -> None:
        if self._account is not None and self._layout.source.capture == "polling":
            self._account.wrote(record.id)

    @contextmanager
    def _refusing(self, data: Mapping[str, Any]) -> Iterator[None]:
        """Write data inside: what a unique index refuses leaves no trace in the transaction.

        Raises:
            DuplicateError: Another row has a value.
        """
        try:
            with self._session.begin_nested():
                yield
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            message, holder = self._violated(data, error.orig)
            hint = "change the value, or write into that record: create_record with merge_if_exists"
            raise DuplicateError(message, hint, holder) from None

    def _violated(self, data: Mapping[str, Any], error: UniqueViolation) -> tuple[str, str]:
        """What a unique index says about data, and the record that has the value where it can be told."""
        for field in self.spec.fields:
            value = data.get(field.id) if field.unique else None
            held = self._search.equal(field.id, value) if value is not None else []
            if held:
                holder = held[0].id
                return f"field {field.id!r} is unique, and record {holder} has {value!r} already", holder
        reason = error.diag.message_detail or error.diag.message_primary
        return f"a unique index of {self._layout.source.table!r} refuses it: {reason}", ""
