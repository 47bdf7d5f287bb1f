"""`oneo pipelines`: the kinds of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oneo_app.commands.capture import connect_pipeline, fitted, is_elsewhere, what_is_left
from oneo_app.console import Json, Tenant, answer, err, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="The kinds of records: fields and stages.", no_args_is_help=True)
    group.command(name="apply")(apply)
    group.command(name="list")(list_pipelines)
    group.command(name="connect")(connect_pipeline)
    app.add_typer(group, name="pipelines")


def apply(
    file: Annotated[
        Path,
        typer.Argument(help="A pipeline as JSON: id, fields, stages, record_schema, source.", metavar="FILE"),
    ],
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Change nothing: only say what would change, and which records would not fit."
        ),
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Create a pipeline, or bring it to what the file says. Records that no longer fit are listed and stay."""
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo.store import pipeline_changes, pipelines, sources  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        spec = pipelines.parse_spec(read_file(file), str(file))
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            spec = fitted(found, tenant_id, spec)
            with found.tenant(tenant_id) as session:
                before = pipelines.find(session, spec.id)
                if before is not None and is_elsewhere(before.source, spec.source):
                    sources.forget_rows(session, tenant_id, spec.id)
                pipelines.apply(session, tenant_id, spec)
                changes = pipeline_changes.differences(before, pipelines.get(session, spec.id))
                misfits = pipeline_changes.misfits(session, spec)
                if check:
                    session.rollback()
        result = {
            "pipeline": spec.id,
            "fields": len(spec.fields),
            "stages": len(spec.stages),
            "applied": not check,
            "changes": changes,
            "misfits": {"count": misfits.count, "records": misfits.problems},
            **({} if check or spec.source is None else {"left": what_is_left(before, spec)}),
        }

        def show() -> None:
            out.print(f"pipeline {spec.id} {'would have' if check else 'has'} {len(spec.fields)} fields")
            for line in changes:
                out.print(f"  {line}", markup=False)
            if misfits.count:
                err.print(f"[yellow]{misfits.count} record(s) do not fit and stay as they are:[/yellow]")
            for record, problems in misfits.problems.items():
                err.print(f"  {record}: {'; '.join(problems)}", markup=False)
            for line in [] if check else what_is_left(before, spec):
                out.print(line, markup=False)

        answer(result, as_json, show)


def list_pipelines(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the pipelines."""
    from oneo.store import pipelines  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            specs = pipelines.all_pipelines(session)

        def show() -> None:
            shown = table("pipeline", "name", "fields", "stages")
            for spec in specs:
                fields = ", ".join(field.id for field in spec.fields)
                shown.add_row(spec.id, spec.name or "", fields, ", ".join(stage.id for stage in spec.stages))
            out.print(shown)

        answer([spec.model_dump() for spec in specs], as_json, show)
