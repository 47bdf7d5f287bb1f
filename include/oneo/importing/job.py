"""Records from a file: good rows become records, bad rows go aside with their reasons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import UserError
from oneo.importing.columns import Columns, Reading
from oneo.importing.fitting import Fitting
from oneo.importing.rejects import Rejects
from oneo.importing.source import Row, Source, open_source
from oneo.importing.writing import Duplicates, Given, Writer
from oneo.store import bulk, pipelines
from oneo.store.bulk import Events

# Rows per transaction: large enough to be quick, small enough that a failure repeats little.
BATCH = 500
# How much more records have come when the database counts them again.
_GROWTH = 10
# Lines that a report names of those that were repaired.
_NAMED_LINES = 10
_FILES = UUID("5f0f7c0e-5c43-4d7e-9c0b-2f6a4a1d9b3e")


@dataclass
class ImportResult:
    """What an import did.

    Attributes:
        skipped: Rows whose record was there already, and stays as it is.
        repaired: Rows that were read other than they stand in the file: quoted as a whole.
        repaired_lines: Where the first of them start.
        record_ids: Ids of the records created or updated, in the file's order, where the options ask for them.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    repaired: int = 0
    repaired_lines: list[int] = field(default_factory=list)
    rejects_file: str | None = None
    record_ids: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As printed by `oneo records import --json`."""
        names = (
            "read",
            "created",
            "updated",
            "skipped",
            "rejected",
            "repaired",
            "repaired_lines",
            "rejects_file",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ImportOptions:
    """How a file is imported.

    Attributes:
        rejects: Where rows that do not fit are written, with the reason.
        reading: How its cells are read.
        sheet: Which sheet of a workbook.
        duplicates: What becomes of a row whose record is known.
        events: What becomes of the record events.
        dry_run: Whether everything is checked and nothing is kept.
        limit: Rows to read at most.
        keep_ids: Whether the result lists the records' ids.
    """

    rejects: Path
    reading: Reading = field(default_factory=Reading)
    sheet: str | None = None
    duplicates: Duplicates = "update"
    events: Events = "now"
    dry_run: bool = False
    limit: int | None = None
    keep_ids: bool = False


def import_file(
    database: Database,
    tenant_id: str,
    pipeline_id: str,
    path: Path,
    options: ImportOptions,
    progress: Callable[[ImportResult], None] = lambda _: None,
) -> ImportResult:
    """Import a file with named columns into a pipeline.

    Rows are written in transactions of 500. Rows that do not fit are counted, not written, and listed in
    `options.rejects` with the line they start on and the reason; the others are not held up by them. An import that
    broke off is taken up by importing the same file again.

    Raises:
        UserError: The file as a whole cannot be read; nothing was written.
        NotFoundError: No such pipeline.
    """
    with database.tenant(tenant_id) as session:
        spec = pipelines.own(session, pipeline_id)
    if options.rejects.resolve() == path.resolve():
        raise UserError(f"{path} cannot take its own rejected rows", hint="give another file for them")
    with ExitStack() as stack:
        source = open_source(path, stack, options.sheet)
        columns = Columns(source.header, spec, options.reading)
        # Once through the whole file first: one that breaks off in the middle is not half imported.
        for _ in islice(source.rows(), options.limit):
            pass
        writer = Writer(
            tenant_id,
            spec,
            key_field=columns.key_field if options.reading.key is not None else None,
            duplicates=options.duplicates,
            namespace=_namespace(path, pipeline_id, options.sheet),
        )
        rejects = Rejects(options.rejects, source.header, stack)
        result = ImportResult()
        counted = 0
        sessions = stack.enter_context(_sessions(database, tenant_id, options))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        for batch, given in _ahead(pool, _batches(source, columns, options.limit)):
            with sessions() as session:
                outcomes = writer.write(session, given, lock=not options.dry_run)
            for row, outcome in zip(batch, outcomes, strict=True):
                if outcome.action == "rejected":
                    rejects.write(row.line, "; ".join(outcome.problems), row.cells)
                elif options.keep_ids and outcome.action != "skipped":
                    result.record_ids.append(str(outcome.record_id))
                setattr(result, outcome.action, getattr(result, outcome.action) + 1)
            _count(result, batch)
            progress(result)
            if not options.dry_run and result.created >= _GROWTH * counted + BATCH:
                counted = result.created
                with database.tenant(tenant_id) as session:
                    bulk.count_anew(session)
        result.rejects_file = rejects.path
    return result


def preview(
    database: Database, tenant_id: str, pipeline_id: str, path: Path, options: ImportOptions
) -> Iterator[Given]:
    """The rows of a file as they would become records, without a look at those that are there.

    Raises:
        UserError: The file cannot be read.
        NotFoundError: No such pipeline.
    """
    with database.tenant(tenant_id) as session:
        spec = pipelines.own(session, pipeline_id)
    fitting = Fitting(spec)
    with ExitStack() as stack:
        source = open_source(path, stack, options.sheet)
        columns = Columns(source.header, spec, options.reading)
        for row in islice(source.rows(), options.limit):
            data, problems = columns.read(row)
            yield Given(row.line, data, problems or fitting.problems(data))


@contextmanager
def _sessions(database: Database, tenant_id: str, options: ImportOptions) -> Iterator[Callable[[], Any]]:
    """Opens the transaction of a batch; a dry run is one transaction, which is taken back."""

    @contextmanager
    def one() -> Iterator[Session]:
        with database.tenant(tenant_id) as session:
            bulk.set_events(session, options.events)
            yield session

    if not options.dry_run:
        yield one
        return
    with database.tenant(tenant_id) as session:
        bulk.set_events(session, "silent")

        @contextmanager
        def same() -> Iterator[Session]:
            yield session
            session.flush()
            session.expunge_all()

        yield same
        session.rollback()


def _namespace(path: Path, pipeline_id: str, sheet: str | None) -> UUID:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return uuid5(_FILES, json.dumps([pipeline_id, sheet, digest]))


_Batch = tuple[Sequence[Row], Sequence[Given]]


def _batches(source: Source, columns: Columns, limit: int | None) -> Iterator[_Batch]:
    rows = islice(source.rows(), limit)
    while batch := list(islice(rows, BATCH)):
        yield batch, [Given(row.line, *columns.read(row)) for row in batch]


def _ahead(pool: Executor, batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """The batches in their order, each read while the one before is being written."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch


def _count(result: ImportResult, batch: Sequence[Row]) -> None:
    lines = [row.line for row in batch if row.repaired]
    result.read += len(batch)
    result.repaired += len(lines)
    result.repaired_lines += lines[: _NAMED_LINES - len(result.repaired_lines)]
