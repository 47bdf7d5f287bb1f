"""`oneo pipelines`: the kinds of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="The kinds of records: fields and stages.", no_args_is_help=True)
    group.command(name="apply")(apply)
    group.command(name="list")(list_pipelines)
    app.add_typer(group, name="pipelines")


def apply(
    file: Annotated[Path, typer.Argument(help="A pipeline as JSON: id, fields, stages.", metavar="FILE")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Create a pipeline, or bring it to what the file says."""
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo.store import pipelines  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        spec = pipelines.parse_spec(read_file(file), str(file))
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                pipelines.apply(session, tenant_id, spec)
        result = {"pipeline": spec.id, "fields": len(spec.fields), "stages": len(spec.stages)}
        answer(result, as_json, lambda: out.print(f"pipeline {spec.id} has {len(spec.fields)} fields"))


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
