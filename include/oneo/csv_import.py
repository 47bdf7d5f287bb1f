"""Records from a CSV file: good rows become records, bad rows go aside with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from oneo.csv_columns import Columns
from oneo.csv_source import Rejects, Row, open_source
from oneo.database import Database
from oneo.errors import InvalidRecordError, QuotaError, UserError
from oneo.store import pipelines, records
from oneo.store.locks import lock_values
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec

# Rows per transaction: large enough to be quick, small enough that a failure repeats little.
BATCH = 500


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
        rejects: Where rows that do not fit are written, with the reason.
        key: Column that identifies a record (its `external_id`): a row whose key is known updates that record. A
            column called `external_id` does so without being named.
        not_answered: Cell texts that mean an empty cell, such as `Select`.
        limit: Rows to read at most.
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
    with database.tenant(tenant_id) as session:
        spec = pipelines.get(session, pipeline_id)
    if options.rejects.resolve() == path.resolve():
        raise UserError(f"{path} cannot take its own rejected rows", hint="give another file for them")
    with ExitStack() as stack:
        source = open_source(path, stack)
        columns = Columns(source.header, spec, options.key, options.not_answered)
        # Once through the whole file first: one that breaks off in the middle is not half imported.
        for _ in source.rows(options.limit):
            pass
        rejects = Rejects(options.rejects, source.header, stack)
        result = ImportResult()
        for batch in _batches(source.rows(options.limit)):
            with database.tenant(tenant_id) as session:
                _write_batch(_Target(session, tenant_id, spec), columns, batch, rejects, result)
            progress(result)
        result.rejects_file = rejects.path
    return result


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


@dataclass(frozen=True)
class _Target:
    """Where a batch goes."""

    session: Session
    tenant_id: str
    spec: PipelineSpec


def _write_batch(
    target: _Target, columns: Columns, batch: Iterable[Row], rejects: Rejects, result: ImportResult
) -> None:
    rows = [(line, cells, *columns.read(cells)) for line, cells in batch]
    # Another import that brings the same new record waits for this one, and then finds it.
    keys = [("external_id", data["external_id"]) for _, _, data, _ in rows if "external_id" in data]
    lock_values(target.session, target.tenant_id, target.spec.id, keys)
    for line, cells, data, found in rows:
        result.read += 1
        problems = found or _write(target, data, result)
        if problems:
            result.rejected += 1
            rejects.write(line, "; ".join(problems), cells)


def _write(target: _Target, data: dict[str, Any], result: ImportResult) -> list[str]:
    """Write one row; returns why it does not fit, empty where it was written."""
    session, spec = target.session, target.spec
    existing: Record | None = None
    if "external_id" in data:
        existing = records.by_external_id(session, spec.id, data["external_id"])
    # An empty cell leaves a known record's value as it is.
    problems = spec.problems({**existing.data, **data} if existing is not None else data)
    if problems:
        return problems
    try:
        if existing is None:
            existing = records.create(session, target.tenant_id, spec.id, data)
            result.created += 1
        else:
            records.update(session, existing, records.Changes(set=data))
            result.updated += 1
    except (InvalidRecordError, QuotaError) as error:
        return [error.message]
    result.record_ids.append(str(existing.id))
    return []
