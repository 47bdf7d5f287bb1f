"""Filters over the record table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, cast, func, literal, null
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import DateTime, Text

from oneo.filters.clauses import Clause, Condition
from oneo.filters.compile import as_text, fitting
from oneo.filters.index import narrowed
from oneo.store.models import RECORDS

# Fields that are columns of their own, beside the record's data.
COLUMNS = {
    "id": RECORDS.id,
    "pipeline_id": RECORDS.pipeline_id,
    "stage": RECORDS.stage,
    "owner": RECORDS.owner,
    "external_id": RECORDS.external_id,
    "version": RECORDS.version,
}
TIMES = {"created_at": RECORDS.created_at, "updated_at": RECORDS.updated_at}


def where(conditions: Sequence[Condition], indexed: Mapping[str, str] | None = None) -> ColumnElement[bool]:
    """The SQL condition that all conditions hold, agreeing with `oneo.filters.match` on every record.

    Args:
        conditions: The conditions.
        indexed: The fields of the pipeline that are indexed, with their types. The index is asked first, and the
            record decides.
    """
    return fitting(conditions, RecordFields(indexed or {}))


class RecordFields:
    """Fields of the record table: in its data, or columns of their own.

    Args:
        indexed: Those that are indexed, with their types.
    """

    def __init__(self, indexed: Mapping[str, str]) -> None:
        self._indexed = indexed

    def json(self, path: tuple[str, ...]) -> Any:
        """A field as JSONB, null where it is missing."""
        return json_value(path)

    def time(self, path: tuple[str, ...]) -> Any:
        """A field of times as a moment, null where it holds none."""
        if len(path) == 1 and path[0] in TIMES:
            return TIMES[path[0]]
        return func.moment_of(text_value(path), type_=DateTime(True))

    def written(self) -> tuple[Any, Any]:
        """What somebody wrote into the record, its data and the columns beside it: as JSONB, and as one text."""
        names = ("id", "pipeline_id", "version", "created_at", "updated_at")
        columns = (RECORDS.stage, RECORDS.owner, RECORDS.external_id)
        beside = [part for column in columns for part in (literal(column.key), column)]
        value = RECORDS.data.op("-")(cast(list(names), ARRAY(Text))).op("||")(
            func.jsonb_build_object(*beside)
        )
        return value, func.concat_ws(" ", cast(RECORDS.data, Text), *columns)

    def holds(self, value: Any, pattern: str) -> ColumnElement[bool]:
        """Whether some text in a JSONB value, however deep, fits a pattern."""
        found: ColumnElement[bool] = func.holds_text(value, pattern)
        return found

    def narrowed(self, clause: Clause) -> ColumnElement[bool] | None:
        """What the index of values can say about a clause."""
        return narrowed(clause, self._indexed)


def json_value(field: tuple[str, ...]) -> Any:
    """A field as JSONB: a path into the data, or a column turned into JSON."""
    column = (COLUMNS | TIMES).get(field[0])
    if column is None:
        return RECORDS.data.op("#>")(cast(list(field), ARRAY(Text)))
    # A column hides data of its name, and nothing lies below it.
    return func.to_jsonb(column) if len(field) == 1 else cast(null(), JSONB)


def text_value(field: tuple[str, ...]) -> Any:
    """A field as text, null where it is missing."""
    return as_text(json_value(field))
