"""Records from a CSV file: columns to fields, texts to values, bad rows aside with their reasons."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import UserError
from oneo.store import pipelines, records
from oneo.store.pipelines import PipelineSpec
from oneo.suggest import did_you_mean

# Rows per transaction: large enough to be quick, small enough that a failure repeats little.
BATCH = 500
_MAX_CELL = 1_000_000
_TRUE, _FALSE = {"true", "yes", "y", "1"}, {"false", "no", "n", "0"}


@dataclass
class ImportResult:
    """What an import did.

    Attributes:
        record_ids: Ids of the records created or updated, in the file's order.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    record_ids: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As printed by `oneo records import --json`."""
        return {
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "rejected": self.rejected,
            "rejects_file": self.rejects_file,
        }


@dataclass(frozen=True)
class ImportOptions:
    """How a file is read.

    Attributes:
        key: Column that identifies a record (its `external_id`): a row whose key is known updates that record.
        not_answered: Cell texts that mean an empty cell, such as `Select`.
        limit: Rows to read at most.
        rejects: Where rows that do not fit are written, with the reason.
    """

    rejects: Path
    key: str | None = None
    not_answered: frozenset[str] = frozenset()
    limit: int | None = None


def import_csv(
    database: Database,
    tenant_id: str,
    pipeline_id: str,
    path: Path,
    options: ImportOptions,
    progress: Callable[[ImportResult], None] = lambda _: None,
) -> ImportResult:
    """Import a CSV file with a header line into a pipeline.

    Rows are written in transactions of 500. Rows that do not fit are counted, not written, and listed in
    `options.rejects` with the line they start on and the reason; the others are not held up by them.

    Raises:
        UserError: The file as a whole cannot be read; nothing was written.
        NotFoundError: No such pipeline.
    """
    result = ImportResult()
    with database.tenant(tenant_id) as session:
        spec = pipelines.get(session, pipeline_id)
    with ExitStack() as stack:
        source = stack.enter_context(_open(path))
        reader = csv.reader(source, strict=True)
        header = _header(reader, path)
        columns = _columns(header, spec)
        key = _key_index(header, options.key)
        rejects = _Rejects(options.rejects, header, stack)
        for batch in _batches(_rows(reader, path, options.limit)):
            with database.tenant(tenant_id) as session:
                for line, cells in batch:
                    result.read += 1
                    problem = _write(
                        session, tenant_id, spec, columns, cells, key, options, result, len(header)
                    )
                    if problem:
                        result.rejected += 1
                        rejects.write(line, problem, cells)
            progress(result)
        result.rejects_file = rejects.path
    return result


def _open(path: Path) -> TextIO:
    try:
        return path.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", hint="give the path of a CSV file") from None


def _header(reader: Any, path: Path) -> list[str]:
    csv.field_size_limit(_MAX_CELL)
    header = [name.strip() for name in next(_lines(reader, path), [])]
    if not any(header):
        raise UserError(f"{path} has no header line", hint="the first line names the columns")
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise UserError(
            f"{path}: column {doubled[0]!r} stands twice in the header", hint="rename one of the two"
        )
    return header


def _lines(reader: Any, path: Path) -> Iterator[list[str]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"{path}, line {reader.line_num}: {error}", hint="check quotes and line ends"
            ) from None
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path} is not UTF-8 text (byte {error.start} after line {reader.line_num})",
                hint="save it as CSV UTF-8",
            ) from None
        yield row


def _rows(reader: Any, path: Path, limit: int | None) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not empty."""
    count = 0
    for cells in _lines(reader, path):
        if not any(cell.strip() for cell in cells):
            continue
        if limit is not None and count >= limit:
            return
        count += 1
        yield reader.line_num, cells


def _batches(rows: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    batch: list[tuple[int, list[str]]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def field_name(column: str) -> str:
    """A column's title as a field's name: `TotalVisits` and `Total Visits` become `total_visits`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    words = re.findall(r"[A-Za-z0-9]+", spaced)
    name = "_".join(words).lower()
    return f"_{name}" if name[:1].isdigit() else name


def _columns(header: Sequence[str], spec: PipelineSpec) -> list[tuple[str, str]]:
    """(field, type) of each column: the pipeline's field of that id or label, else a text field of its own."""
    known = {field_name(name): one for one in spec.fields for name in (one.name or one.id, one.id)}
    found: list[tuple[str, str]] = []
    for column in header:
        name = field_name(column)
        match = known.get(name)
        found.append((match.id, match.type) if match else (name, "text"))
    return found


def _key_index(header: Sequence[str], key: str | None) -> int | None:
    if key is None:
        return None
    if key not in header:
        raise UserError(f"there is no column {key!r} to identify records by", hint=did_you_mean(key, header))
    return header.index(key)


def _write(
    session: Session,
    tenant_id: str,
    spec: PipelineSpec,
    columns: Sequence[tuple[str, str]],
    cells: Sequence[str],
    key: int | None,
    options: ImportOptions,
    result: ImportResult,
    width: int,
) -> str | None:
    """Write one row; returns why it does not fit, or None where it was written."""
    if len(cells) != width:
        return f"{len(cells)} cells where the header has {width}"
    data: dict[str, Any] = {}
    problems: list[str] = []
    for (name, kind), cell in zip(columns, cells, strict=True):
        text = cell.strip()
        if not name or not text or text in options.not_answered:
            continue
        try:
            data[name] = convert(text, kind)
        except ValueError:
            problems.append(f"{name}: {text[:60]!r} is not of type {kind}")
    if key is not None:
        data["external_id"] = cells[key].strip() or None
        if data["external_id"] is None:
            problems.append("the key column is empty")
    if "\x00" in "".join(cells):
        problems.append("a cell holds a NUL character")
    problems = problems or spec.problems(data)
    if problems:
        return "; ".join(problems)
    existing = records.by_external_id(session, spec.id, data["external_id"]) if key is not None else None
    if existing is None:
        row_id: UUID = records.create(session, tenant_id, spec.id, data).id
        result.created += 1
    else:
        records.update(session, existing, records.Changes(set=data))
        row_id = existing.id
        result.updated += 1
    result.record_ids.append(str(row_id))
    return None


def convert(text: str, kind: str) -> Any:
    """A cell's text as a value of a field type.

    Raises:
        ValueError: It is none.
    """
    match kind:
        case "number":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError(text)
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "integer":
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
        case _:
            return text


class _Rejects:
    """The file of rows that did not fit; made with the first of them."""

    def __init__(self, path: Path, header: Sequence[str], stack: ExitStack) -> None:
        self._target = path
        self._header = header
        self._stack = stack
        self._writer: Any = None

    @property
    def path(self) -> str | None:
        """Where they are, or None where there are none."""
        return str(self._target) if self._writer is not None else None

    def write(self, line: int, problem: str, cells: Sequence[str]) -> None:
        """Add a row."""
        if self._writer is None:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            target = self._stack.enter_context(self._target.open("w", newline="", encoding="utf-8"))
            self._writer = csv.writer(target)
            self._writer.writerow(["line", "problem", *self._header])
        self._writer.writerow([line, problem, *cells])
