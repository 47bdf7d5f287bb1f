"""Columns of a file to fields of a pipeline, rows to records' data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oneo.errors import UserError
from oneo.importing.mapping import EVERY, ColumnMapping
from oneo.importing.source import Row
from oneo.importing.values import convert
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_data import RESERVED_FIELDS
from oneo.suggest import did_you_mean


def field_name(column: str) -> str:
    """A column's title as a field's name: `TotalVisits` and `Total Visits` become `total_visits`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFC", column))
    name = "_".join(re.findall(r"[^\W_]+", spaced)).lower()
    if name in RESERVED_FIELDS:
        return f"imported_{name}"  # the record has an id and times of its own, which would hide it
    return f"_{name}" if name[:1].isdigit() else name


@dataclass(frozen=True)
class Reading:
    """How cells are read.

    Attributes:
        key: Column, or field a column goes to, that identifies a record: it becomes its `external_id`.
        not_answered: Cell texts that mean an empty cell, such as `Select`.
        mapping: What is known of columns, by their titles; `*` holds for all of them.
    """

    key: str | None = None
    not_answered: frozenset[str] = frozenset()
    mapping: Mapping[str, ColumnMapping] = field(default_factory=dict)


@dataclass(frozen=True)
class _Column:
    """Where a column goes; a column without a name is left out."""

    name: str | None
    kind: str | None
    values: Mapping[str, Any]


class Columns:
    """Which field each column goes to, and which column identifies a record.

    Args:
        header: Column titles.
        spec: The pipeline.
        reading: How cells are read.

    Raises:
        UserError: Two columns for one field, a mapping of no column, or no such key column.
    """

    def __init__(self, header: Sequence[str], spec: PipelineSpec, reading: Reading) -> None:
        self.width = len(header)
        for title in reading.mapping:
            if title not in header and title != EVERY:
                raise UserError(f"there is no column {title!r} to map", hint=did_you_mean(title, header))
        self._columns = _columns(header, spec, reading)
        self._key_must_be_there = reading.key is not None
        names = [column.name for column in self._columns]
        # Another system's id tells records apart wherever it is given.
        key = reading.key if reading.key is not None else "external_id"
        self._key = header.index(key) if reading.key in header else names.index(key) if key in names else None
        if reading.key is not None and self._key is None:
            raise UserError(
                f"there is no column {reading.key!r} to identify records by",
                hint=did_you_mean(reading.key, header),
            )
        self.key_field = None if self._key is None else names[self._key]

    def read(self, row: Row) -> tuple[dict[str, Any], list[str]]:
        """A row's values by field, and what is wrong with them."""
        if row.problem is not None:
            return {}, [row.problem]
        if len(row.cells) != self.width:
            return {}, [f"{len(row.cells)} cell(s) where the header has {self.width}"]
        data: dict[str, Any] = {}
        problems: list[str] = []
        key: Any = None
        for index, (column, cell) in enumerate(zip(self._columns, row.cells, strict=True)):
            value = cell
            if isinstance(cell, str):
                text = cell.strip()
                value = column.values.get(text, text)
                if "\x00" in text:
                    problems.append("a cell holds a NUL character")
            if value is None or value == "":
                continue
            if index == self._key:
                key = str(convert(value, "text"))
            if column.name is None:
                continue
            try:
                data[column.name] = convert(value, column.kind)
            except ValueError:
                problems.append(f"{column.name}: {str(value)[:60]!r} is not of type {column.kind}")
        if key is not None:
            data["external_id"] = key
        elif self._key_must_be_there:
            problems.append("the key column is empty")
        return data, list(dict.fromkeys(problems))


def _columns(header: Sequence[str], spec: PipelineSpec, reading: Reading) -> list[_Column]:
    """The pipeline's field of a column's id or label, else a field of its own."""
    known = {field_name(one.name): one for one in spec.fields if one.name}
    known |= {field_name(one.id): one for one in spec.fields}
    types = {one.id: one.type for one in spec.fields}
    every = reading.mapping.get(EVERY, ColumnMapping())
    empty = dict.fromkeys(reading.not_answered)
    found: list[_Column] = []
    titles: dict[str, str] = {}
    for number, title in enumerate(header, 1):
        given = reading.mapping.get(title, ColumnMapping())
        values = {**empty, **every.values, **given.values}
        if given.skip:
            found.append(_Column(None, None, values))
            continue
        name = given.field or field_name(title) or f"column_{number}"
        if given.field is None and name in known:
            name = known[name].id
        found.append(_Column(name, given.type or types.get(name) or every.type, values))
        other = titles.setdefault(name, title)
        if len(titles) < sum(one.name is not None for one in found):
            stands = "stands twice in the header" if other == title else f"and {other!r} are the same field"
            raise UserError(f"column {title!r} {stands}", hint="rename one of the two, or leave it out")
    return found
