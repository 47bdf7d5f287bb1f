"""Columns of a CSV file to fields of a pipeline, cells to values."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from oneo.errors import UserError
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_data import RESERVED_FIELDS
from oneo.suggest import did_you_mean

_TRUE, _FALSE = {"true", "yes", "y", "1"}, {"false", "no", "n", "0"}


def field_name(column: str) -> str:
    """A column's title as a field's name: `TotalVisits` and `Total Visits` become `total_visits`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFC", column))
    name = "_".join(re.findall(r"[^\W_]+", spaced)).lower()
    if name in RESERVED_FIELDS:
        return f"imported_{name}"  # the record has an id and times of its own, which would hide it
    return f"_{name}" if name[:1].isdigit() else name


class Columns:
    """Which field each column goes to, and which column identifies a record.

    Args:
        header: Column titles.
        spec: The pipeline.
        key: Title of the identifying column; without, a column `external_id` is one.
        not_answered: Cell texts that mean an empty cell.

    Raises:
        UserError: Two columns for one field, or no such key column.
    """

    def __init__(
        self, header: Sequence[str], spec: PipelineSpec, key: str | None, not_answered: frozenset[str]
    ) -> None:
        self.width = len(header)
        self._not_answered = not_answered
        self._fields = _fields(header, spec)
        names = [name for name, _ in self._fields]
        self._key_must_be_there = key is not None
        if key is not None and key not in header:
            raise UserError(
                f"there is no column {key!r} to identify records by", hint=did_you_mean(key, header)
            )
        # Another system's id tells records apart wherever it is given.
        title = key if key is not None else "external_id"
        self._key = header.index(title) if key is not None else _index(names, title)

    def read(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """A row's values by field, and what is wrong with them."""
        if len(cells) != self.width:
            return {}, [f"{len(cells)} cell(s) where the header has {self.width}"]
        data: dict[str, Any] = {}
        problems: list[str] = []
        texts = ["" if cell.strip() in self._not_answered else cell.strip() for cell in cells]
        for (name, kind), text in zip(self._fields, texts, strict=True):
            if text:
                try:
                    data[name] = convert(text, kind)
                except ValueError:
                    problems.append(f"{name}: {text[:60]!r} is not of type {kind}")
        if self._key is not None and texts[self._key]:
            data["external_id"] = texts[self._key]
        elif self._key_must_be_there:
            problems.append("the key column is empty")
        if "\x00" in "".join(cells):
            problems.append("a cell holds a NUL character")
        return data, problems


def _index(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _fields(header: Sequence[str], spec: PipelineSpec) -> list[tuple[str, str]]:
    """(field, type) of each column: the pipeline's field of that id or label, else a text field of its own."""
    known = {field_name(one.name): one for one in spec.fields if one.name}
    known |= {field_name(one.id): one for one in spec.fields}
    found: list[tuple[str, str]] = []
    titles: dict[str, str] = {}
    for number, column in enumerate(header, 1):
        name = field_name(column) or f"column_{number}"
        match = known.get(name)
        found.append((match.id, match.type) if match else (name, "text"))
        other = titles.setdefault(found[-1][0], column)
        if len(titles) < number:
            stands = "stands twice in the header" if other == column else f"and {other!r} are the same field"
            raise UserError(f"column {column!r} {stands}", hint="rename one of the two, or leave it out")
    return found


def convert(text: str, kind: str) -> Any:
    """A cell's text as a value of a field type.

    Raises:
        ValueError: It is none.
    """
    match kind:
        case "number":
            return _number(text)
        case "integer":
            if "_" in text:
                raise ValueError(text)
            return int(text)
        case "boolean":
            if text.lower() not in _TRUE | _FALSE:
                raise ValueError(text)
            return text.lower() in _TRUE
        case "date":
            return date.fromisoformat(text).isoformat()
        case "datetime":
            return datetime.fromisoformat(text).isoformat()
        case "list":
            return [part.strip() for part in text.split(";") if part.strip()]
        case "json":
            return _json(text)
        case _:
            return text


def _number(text: str) -> int | float:
    if "_" in text:
        raise ValueError(text)  # Python's way of writing thousands, nobody else's
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
