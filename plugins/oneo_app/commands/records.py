"""`oneo records import`: records from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oneo_app.console import Json, Tenant, answer, err, out, plain_errors


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Records of the CRM.", no_args_is_help=True)
    group.command(name="import")(import_records)
    group.callback()(lambda: None)
    app.add_typer(group, name="records")


def import_records(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header line.", metavar="FILE")],
    pipeline: Annotated[str, typer.Option("--pipeline", "-p", help="Pipeline of the records.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Column that identifies a record; known ones are updated.")
    ] = None,
    null: Annotated[
        list[str] | None, typer.Option("--null", help="Cell text that means `not answered`; may be repeated.")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=1, help="Read at most that many rows.")] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Where rows that do not fit go. Default: under .oneo/.")
    ] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Import records; each fires the workflows that watch its pipeline. Exit code 1 where rows were rejected."""
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn  # noqa: PLC0415

    from oneo.csv_import import ImportOptions, ImportResult, import_csv  # noqa: PLC0415
    from oneo.settings import settings  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        options = ImportOptions(
            rejects=rejects or settings().home / "rejects" / f"{file.stem}.rejects.csv",
            key=key,
            not_answered=frozenset(null or ()),
            limit=rows,
        )
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            columns = (SpinnerColumn(), "{task.description}", MofNCompleteColumn(), TimeElapsedColumn())
            with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
                task = bar.add_task("rows", total=None)

                def show(so_far: ImportResult) -> None:
                    bar.update(task, completed=so_far.read)

                result = import_csv(found, tenant_id, pipeline, file, options, show)

        def summary() -> None:
            out.print(
                f"read {result.read}, created {result.created}, updated {result.updated}, rejected {result.rejected}"
            )
            if result.rejects_file:
                err.print(f"[yellow]rows that do not fit, with the reasons: {result.rejects_file}[/yellow]")

        answer(result.as_json(), as_json, summary)
        if result.rejected:
            raise typer.Exit(1)
