"""`oneo records import`, `export` and `release`: records from files and to files, and the events held back."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, err, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.database import Database
    from oneo.importing import ImportOptions, ImportResult

Pipeline = Annotated[str, typer.Option("--pipeline", "-p", help="Pipeline of the records.")]


class Duplicates(StrEnum):
    """What becomes of a row whose record is known."""

    UPDATE = "update"
    SKIP = "skip"
    ERROR = "error"
    CREATE = "create"


class Format(StrEnum):
    """What an export writes."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"


def register(group: typer.Typer) -> None:
    """Add the commands to the group of those about records."""
    group.command(name="import")(import_records)
    group.command(name="export")(export_records)
    group.command(name="release")(release_events)


def import_records(
    file: Annotated[
        Path, typer.Argument(help="A CSV, Excel or JSON file with named columns.", metavar="FILE")
    ],
    pipeline: Pipeline,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Column or field that identifies a record. Default: the unique fields."),
    ] = None,
    duplicates: Annotated[
        Duplicates, typer.Option("--duplicates", help="What becomes of a row whose record is known.")
    ] = Duplicates.UPDATE,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="JSON file: which field each column goes to.")
    ] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="One column, `Lead Source=source`; may be repeated.")
    ] = None,
    null: Annotated[
        list[str] | None, typer.Option("--null", help="Cell text that means `not answered`; may be repeated.")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Which sheet of an Excel workbook.")] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=1, help="Read at most that many rows.")] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Where rows that do not fit go. Default: under .oneo/.")
    ] = None,
    preview: Annotated[
        int | None, typer.Option("--preview", min=1, help="Only show what that many rows would become.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Start no workflows.")] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Start no workflows before `oneo records release`.")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Import records; each fires the workflows that watch its pipeline. Exit code 1 where rows were rejected.

    A file that is imported again, after a crash or by mistake, finds the records that it has become already.
    """
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.importing import ImportOptions, Reading  # noqa: PLC0415
    from oneo.importing.mapping import parse_mapping, parse_pairs  # noqa: PLC0415
    from oneo.settings import settings  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        if silent and hold:
            raise UserError("--silent writes no events, --hold keeps them", hint="give one of the two")
        columns = parse_mapping(read_file(mapping), str(mapping)) if mapping is not None else {}
        tenant_id = connect.tenant_or_default(tenant)
        options = ImportOptions(
            rejects=rejects or settings().home / "rejects" / tenant_id / f"{file.stem}.rejects.csv",
            reading=Reading(key, frozenset(null or ()), {**columns, **parse_pairs(maps or ())}),
            sheet=sheet,
            duplicates=duplicates.value,
            events="silent" if silent else "held" if hold else "now",
            dry_run=dry_run,
            limit=preview or rows,
        )
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            if preview is not None:
                _show_preview(found, tenant_id, pipeline, file, options, as_json)
                return
            result = _import(found, tenant_id, pipeline, file, options, as_json)
        answer(result.as_json(), as_json, lambda: _summary(result, dry_run))
        if result.rejected:
            raise typer.Exit(1)


def _import(
    found: Database, tenant_id: str, pipeline: str, file: Path, options: ImportOptions, as_json: bool
) -> ImportResult:
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn  # noqa: PLC0415

    from oneo.importing import import_file  # noqa: PLC0415

    columns = (SpinnerColumn(), "{task.description}", MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        task = bar.add_task("rows", total=None)
        return import_file(
            found, tenant_id, pipeline, file, options, lambda so_far: bar.update(task, completed=so_far.read)
        )


def _show_preview(
    found: Database, tenant_id: str, pipeline: str, file: Path, options: ImportOptions, as_json: bool
) -> None:
    from oneo.importing import preview  # noqa: PLC0415

    given = list(preview(found, tenant_id, pipeline, file, options))

    def show() -> None:
        shown = table("line", "record", "does not fit")
        for row in given:
            data = json.dumps(row.data, ensure_ascii=False, default=str)
            shown.add_row(
                str(row.line), data.replace("[", r"\["), "; ".join(row.problems).replace("[", r"\[")
            )
        out.print(shown)

    answer(
        [{"line": row.line, "data": row.data, "problems": list(row.problems)} for row in given], as_json, show
    )


def _summary(result: ImportResult, dry_run: bool) -> None:
    out.print(
        f"read {result.read}, created {result.created}, updated {result.updated}, skipped {result.skipped}, "
        f"rejected {result.rejected}" + (" (dry run: nothing is kept)" if dry_run else "")
    )
    if result.repaired:
        lines = ", ".join(map(str, result.repaired_lines))
        more = ", …" if result.repaired > len(result.repaired_lines) else ""
        err.print(
            f"[yellow]{result.repaired} row(s) quoted as a whole were taken apart: {lines}{more}[/yellow]"
        )
    if result.rejects_file:
        err.print(f"[yellow]rows that do not fit, with the reasons: {result.rejects_file}[/yellow]")


def export_records(
    pipeline: Pipeline,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Default: by the file's ending, else csv.")
    ] = None,
    filters: Annotated[
        str | None, typer.Option("--filters", help='Only records that fit, e.g. {"score": {"$gte": 50}}.')
    ] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Export records, oldest first, one by one: any number of them."""
    from oneo.exporting import export  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        ending = output.suffix[1:].lower() if output is not None else ""
        kind = format_ or (Format(ending) if ending in list(Format) else Format.CSV)
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            count = export(found, tenant_id, pipeline, _filters(filters), kind.value, output)
        if output is not None:
            answer({"exported": count, "file": str(output)}, as_json, lambda: out.print(f"exported {count}"))


def _filters(text: str | None) -> Any:
    from oneo.errors import UserError  # noqa: PLC0415

    try:
        return json.loads(text) if text is not None else {}
    except ValueError as error:
        raise UserError(f"--filters is no JSON: {error}", hint='write e.g. {"status": "open"}') from None


def release_events(
    pipeline: Pipeline,
    budget: Annotated[int | None, typer.Option("--budget", min=1, help="At most that many.")] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Hand on the events that `oneo records import --hold` held back, oldest first."""
    from oneo.store import held_events, pipelines  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            pipelines.get(session, pipeline)
            released = held_events.release(session, pipeline, budget)
            held = held_events.count(session, pipeline)
        answer(
            {"released": released, "held": held},
            as_json,
            lambda: out.print(f"released {released}, still held {held}"),
        )
