"""What a search knows of the pipeline it looks in: the fields, their types, and which of them are indexed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, select, tuple_
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.filters import Condition, clauses_in, parse
from oneo.store.models import RECORDS, Pipeline
from oneo.store.record_data import RESERVED_FIELDS, SYSTEM_FIELDS
from oneo.suggest import did_you_mean

_FIELDS = select(Pipeline.__table__.c.fields).where(Pipeline.__table__.c.id == bindparam("pipeline"))


@dataclass(frozen=True)
class Place:
    """A pipeline as a statement knows it.

    Attributes:
        pipeline_id: The pipeline.
        declared: Its fields, each with its type and whether it is indexed.
    """

    pipeline_id: str
    declared: tuple[tuple[str, str, bool], ...]

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Declared fields with their types."""
        return {name: kind for name, kind, _ in self.declared}

    @cached_property
    def indexed(self) -> Mapping[str, str]:
        """Those of them that are indexed."""
        return {name: kind for name, kind, is_indexed in self.declared if is_indexed}

    @property
    def rows(self) -> ColumnElement[bool]:
        """That a record is in the pipeline."""
        return (RECORDS.pipeline_id == self.pipeline_id) & RECORDS.deleted_at.is_(None)


@dataclass(frozen=True)
class Searched:
    """A pipeline to search, in a session."""

    session: Session
    place: Place

    def conditions(self, filters: Mapping[str, Any]) -> list[Condition]:
        """The conditions of a filter on the pipeline.

        Raises:
            UserError: It cannot be read, or asks for a field that does not exist.
        """
        found = parse(filters, self.place.types)
        self.check_fields("filter", (clause.field[0] for clause in clauses_in(found) if clause.field))
        return found

    def check_fields(self, use: str, names: Iterable[str]) -> None:
        """Nothing where the pipeline has fields of these names: declared ones, columns, or those some record holds.

        Raises:
            UserError: It declares its fields, and this is none of them.
        """
        if not self.place.types:
            return
        known = {*self.place.types, *SYSTEM_FIELDS, *RESERVED_FIELDS}
        unknown = [name for name in dict.fromkeys(names) if name not in known and not self._is_held(name)]
        if unknown:
            found = [f"{use}: pipeline {self.place.pipeline_id!r} has no field {name!r}" for name in unknown]
            hints = [did_you_mean(name, known) for name in unknown]
            raise UserError(
                "; ".join(found),
                hint="; ".join(dict.fromkeys(hints)) + "; a field of your own is declared first",
            )

    def _is_held(self, name: str) -> bool:
        return bool(self.session.scalar(select(exists().where(self.place.rows, RECORDS.data.has_key(name)))))


def types_of(
    session: Session, pipeline_ids: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, str]]:
    """Declared fields with their types, by (tenant, pipeline)."""
    table = Pipeline.__table__.c
    query = select(table.tenant_id, table.id, table.fields)
    rows = session.execute(query.where(tuple_(table.tenant_id, table.id).in_(sorted(set(pipeline_ids)))))
    return {(row.tenant_id, row.id): _types(row.fields) for row in rows}


def _types(fields: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {one["id"]: one.get("type") or "text" for one in fields}


def searched(session: Session, pipeline_id: str) -> Searched:
    """The pipeline, without fields where there is none."""
    fields = session.execute(_FIELDS, {"pipeline": pipeline_id}).scalar() or []
    declared = (
        (name, kind, bool(one.get("unique") or one.get("indexed")))
        for one, (name, kind) in zip(fields, _types(fields).items(), strict=True)
    )
    return Searched(session, Place(pipeline_id, tuple(declared)))
