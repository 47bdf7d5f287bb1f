"""`oneo publish`, `withdraw`, `workflows`: what is in service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, err, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(publish)
    app.command()(withdraw)
    app.command(name="workflows")(list_workflows)


def publish(
    file: Annotated[Path, typer.Argument(help="A workflow definition as JSON.", metavar="FILE")],
    tenant: Tenant = None,
    wait: Annotated[
        float, typer.Option("--wait", help="Seconds to wait until Airflow has taken it up.")
    ] = 60,
    with_missing_nodes: Annotated[
        bool,
        typer.Option("--with-missing-nodes", help="Publish it although runs stop at nodes that are missing."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a definition, store it as the workflow's next version and wait until it is live."""
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        document = read_file(file)
        tenant_id = connect.tenant_or_default(tenant)
        connect.airflow_environment()
        from oneo_app.publishing import publish_and_wait  # noqa: PLC0415

        with connect.running_stack() as found:
            done = publish_and_wait(
                found, tenant_id, document, timeout_seconds=wait, with_missing_nodes=with_missing_nodes
            )

            def show() -> None:
                state = "[green]live[/green]" if done["live"] else "[yellow]stored, not live yet[/yellow]"
                out.print(f"{done['workflow']} version {done['version']} is {state} as DAG {done['dag_id']}")
                if done["problem"]:
                    err.print(f"[red]{done['problem']}[/red]")

            answer(done, as_json, show)
            if not done["live"]:
                raise typer.Exit(3)


def withdraw(
    workflow: Annotated[str, typer.Argument(help="Id of a workflow.")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Take a workflow out of service; its versions and executions stay."""
    from oneo.store import workflows as stored  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            done = stored.withdraw(session, tenant_id, workflow)
        result = {"workflow": workflow, "version": done.version, "active": False}
        answer(result, as_json, lambda: out.print(f"{workflow} is out of service"))


def list_workflows(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the published workflows."""
    from oneo.store import workflows as stored  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows: list[dict[str, Any]] = [
                {
                    "workflow": row.id,
                    "name": row.name,
                    "version": row.version,
                    "active": row.active,
                    "live_version": row.live_version,
                    "problem": row.render_error,
                }
                for row in stored.all_workflows(session)
            ]

        def show() -> None:
            shown = table("workflow", "name", "version", "live", "state")
            for row in rows:
                state = row["problem"] or ("active" if row["active"] else "withdrawn")
                live = str(row["live_version"] or "-")
                shown.add_row(row["workflow"], row["name"], str(row["version"]), live, state)
            out.print(shown)

        answer(rows, as_json, show)
