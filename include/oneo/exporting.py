"""Records to files, one by one: memory does not grow with their number."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from sqlalchemy import Result, func, select
from sqlalchemy.orm import Session

from oneo.database import Database, plain_json, to_json
from oneo.errors import UserError
from oneo.filters.sql import where
from oneo.store import pipelines, records
from oneo.store.models import RECORDS, Record
from oneo.store.searched import searched

Format = Literal["csv", "jsonl", "xlsx"]
Write = Callable[[Mapping[str, Any]], None]

_FIRST = ("id", "external_id", "stage", "owner")
_LAST = ("version", "created_at", "updated_at")
_PIECE = 500
# What a sheet of Excel can hold.
_EXCEL_ROWS, _EXCEL_TEXT = 1_048_576, 32_767


def export(
    database: Database,
    tenant_id: str,
    pipeline_id: str,
    filters: Mapping[str, Any],
    kind: Format,
    path: Path | None,
) -> int:
    """Write the records of a pipeline that fit, oldest first; returns how many.

    CSV and Excel have a column for every field that the pipeline or any of the records has; lists and objects in
    them are JSON. A file is there when it is complete, and not before.

    Args:
        database: The store.
        tenant_id: Whose records.
        pipeline_id: The pipeline.
        filters: In the filter language.
        kind: What to write.
        path: Where to; without, standard output, as text only.

    Raises:
        UserError: A filter that cannot be read, a file that cannot be written, or more than the format can hold.
        NotFoundError: No such pipeline.
    """
    if path is None and kind == "xlsx":
        raise UserError("a workbook cannot go to standard output", hint="give a file by --output")
    with database.tenant(tenant_id) as session:
        spec = pipelines.own(session, pipeline_id)
        pipeline = searched(session, pipeline_id)
        fits = pipeline.place.rows & where(pipeline.conditions(filters))
        header: list[str] = []
        if kind != "jsonl":
            held = session.scalars(select(func.jsonb_object_keys(Record.data)).where(fits).distinct())
            fields = dict.fromkeys([field.id for field in spec.fields] + sorted(held))
            header = [*_FIRST, *(name for name in fields if name not in (*_FIRST, *_LAST)), *_LAST]
        count = 0
        with (
            _complete(path) as target,
            _writer(kind, target, header) as write,
            _rows(session, fits) as found,
        ):
            for row in found:
                write(records.view(row))
                count += 1
    return count


def _rows(session: Session, fits: Any) -> Result[Any]:
    # Columns, not records: of what has been written, the session keeps nothing.
    query = select(*RECORDS).where(fits).order_by(Record.created_at, Record.id)
    return session.execute(query.execution_options(yield_per=_PIECE))


@contextmanager
def _complete(path: Path | None) -> Iterator[Path | None]:
    """A place beside `path`, which becomes it at the end."""
    if path is None:
        yield None
        return
    part = path.with_name(f".{path.name}.part")
    try:
        part.touch()
        yield part
        part.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}", hint="give a file in a folder that is there"
        ) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _writer(kind: Format, path: Path | None, header: Sequence[str]) -> Iterator[Write]:
    if kind == "xlsx" and path is not None:
        with _excel(path, header) as write:
            yield write
        return
    with _text(path) as text:
        if kind == "jsonl":
            yield lambda record: print(to_json(record), file=text)
            return
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(header)
        yield lambda record: rows.writerow([_cell(record.get(name)) for name in header])


@contextmanager
def _text(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", newline="", encoding="utf-8") as text:
        yield text


@contextmanager
def _excel(path: Path, header: Sequence[str]) -> Iterator[Write]:
    from openpyxl import Workbook  # noqa: PLC0415 - for those who export to it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("records")
    sheet.append(list(header))
    count = 1

    def cell(name: str, value: Any) -> Any:
        value = _cell(value) if not isinstance(value, bool) else value
        if not isinstance(value, str):
            return value
        if len(value) > _EXCEL_TEXT:
            raise UserError(f"field {name!r} has a text of {len(value):,} characters", hint="export to csv")
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value))
        made.data_type = "s"  # a text that begins with = is no formula
        return made

    def write(record: Mapping[str, Any]) -> None:
        nonlocal count
        count += 1
        if count > _EXCEL_ROWS:
            raise UserError(f"a sheet holds {_EXCEL_ROWS:,} rows at most", hint="export to csv")
        sheet.append([cell(name, record.get(name)) for name in header])

    try:
        yield write
    finally:
        sheet.close()
    book.save(path)


def _cell(value: Any) -> Any:
    """A value as text or number; lists and objects as JSON."""
    if isinstance(value, bool | list | dict):
        return to_json(value)
    return plain_json(value) if not isinstance(value, str | int | float | None) else value
