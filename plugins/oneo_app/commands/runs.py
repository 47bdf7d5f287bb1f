"""`oneo run`, `oneo runs list`, `oneo runs show`: executions."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from oneo_app.console import USER_PROBLEM, Json, Tenant, answer, err, out, plain_errors, table

if TYPE_CHECKING:
    from dag_factory.catalogue import Question

COLOURS = {"success": "green", "failed": "red", "running": "cyan", "pending": "cyan", "waiting": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(run)
    group = typer.Typer(help="Look at executions.", no_args_is_help=True)
    group.command(name="list")(list_runs)
    group.command(name="show")(show_run)
    app.add_typer(group, name="runs")


def run(
    workflow: Annotated[str, typer.Argument(help="Id of a published workflow, or a definition's file.")],
    data: Annotated[str | None, typer.Option("--data", "-d", help="Trigger data: JSON, or @FILE.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end and show it.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Run in this process, without Airflow.")] = False,
    fused: Annotated[
        bool,
        typer.Option("--fused", help="Publish the file to run in one task, as settings.granularity does."),
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that --wait waits.")] = 600,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Answer yes where the workflow asks before it starts.")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Start an execution. With --wait or --local the exit code is 1 where it failed."""
    from oneo_app import connect  # noqa: PLC0415

    def ask(question: Question) -> bool:
        interactive = sys.stdin.isatty() and not as_json
        return yes or (interactive and typer.confirm(question.text, err=True))

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        given = given_data(data)
        document = _document(workflow)
        connect.airflow_environment()
        with connect.store() if local else connect.running_stack() as found:
            connect.ensure_tenant(found, tenant_id)
            from oneo_app import runs as starting  # noqa: PLC0415
            from oneo_app.publishing import as_fused, check_fused, publish_and_wait  # noqa: PLC0415

            if local:
                definition = document or _stored(found, tenant_id, workflow)
                report = starting.run_here(found, tenant_id, definition, given, ask, _tell_wait)
            else:
                if document is None and fused:
                    check_fused(found, tenant_id, workflow)
                if document is not None:
                    document = as_fused(document) if fused else document
                    workflow = publish_and_wait(found, tenant_id, document, timeout_seconds=60)["workflow"]
                begun = starting.enqueue(found, tenant_id, workflow, given, ask)
                if not wait:
                    result = {
                        "execution": str(begun.execution_id),
                        "workflow": workflow,
                        "version": begun.version,
                        "status": "pending",
                    }
                    hint = f"started; see it with `oneo runs show {begun.execution_id}`"
                    answer(result, as_json, lambda: out.print(hint))
                    return
                report = starting.wait_for(found, tenant_id, begun.execution_id, timeout_seconds=timeout)
        answer(report, as_json, lambda: show_report(report))
        if report["status"] not in ("success", "waiting"):
            raise typer.Exit(USER_PROBLEM)


def _tell_wait(until: datetime) -> None:
    err.print(f"[yellow]waiting[/yellow] until {until:%Y-%m-%d %H:%M:%S %Z}; Ctrl-C ends it")


def list_runs(
    workflow: Annotated[str | None, typer.Option("--workflow", help="Only of this workflow.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most that many.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the newest executions."""
    from oneo.store import executions  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415
    from oneo_app.report import execution_report, summary  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = executions.recent(session, workflow_id=workflow, status=status, limit=limit)
            reports = [
                execution_report(session, row, whole=False) if as_json else summary(row) for row in rows
            ]

        def show() -> None:
            shown = table("execution", "workflow", "version", "status", "duration", "created", "part of")
            for one in reports:
                shown.add_row(
                    one["execution"],
                    one["workflow"],
                    str(one["version"]),
                    coloured(one["status"]),
                    seconds(one["duration_ms"]),
                    f"{one['created_at']:%Y-%m-%d %H:%M:%S}",
                    f"{one['parent']} {one['parent_node']}".replace("[", r"\[") if one["parent"] else "",
                )
            out.print(shown)

        answer(reports, as_json, show)


def show_run(
    execution: Annotated[str, typer.Argument(help="Id of an execution.")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show one execution with its nodes."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import executions  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415
    from oneo_app.report import execution_report  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        try:
            key = UUID(execution)
        except ValueError:
            raise UserError(
                f"{execution!r} is no execution id", hint="`oneo runs list` shows the latest"
            ) from None
        with connect.store() as found, found.tenant(tenant_id) as session:
            report = execution_report(session, executions.get(session, key))
        answer(report, as_json, lambda: show_report(report))


def show_report(report: dict[str, Any]) -> None:
    """An execution for people."""
    out.print(
        f"[bold]{report['workflow']}[/bold] version {report['version']}  {coloured(report['status'])}  "
        f"{seconds(report['duration_ms'])}  {report['execution']}"
    )
    if report["parent"]:
        called = f"called by node {report['parent_node']} of {report['parent']}"
        out.print(called.replace("[", r"\["))
    shown = table("node", "type", "status", "attempts", "duration", "")
    for name, node in report["nodes"].items():
        note = (node["error"] or {}).get("message") or ", ".join(
            route for route in node["routes"] or () if route != "success"
        )
        shown.add_row(
            name.replace("[", r"\["),
            node["type"],
            coloured(node["status"]),
            str(node["attempts"]),
            seconds(node["duration_ms"]),
            note.replace("[", r"\["),
        )
    out.print(shown)
    for child in report["children"]:
        node = child["node"].replace("[", r"\[")
        out.print(
            f"{node} called {child['workflow']} version {child['version']}  {coloured(child['status'])}  "
            f"{child['execution']}"
        )
    if report["postponed"]:
        reason = report["postponed"].replace("[", r"\[")
        out.print(f"[yellow]postponed: {reason}[/yellow]")
    if report["error"]:
        for key in ("message", "error_workflow"):
            if key in report["error"]:
                out.print(f"[red]{report['error'][key]}[/red]")
    if report["url"]:
        out.print(report["url"])
    if "error_workflow" in report:
        out.print("\nAfterwards, its error workflow:")
        show_report(report["error_workflow"])


def coloured(status: str) -> str:
    """A status in its colour."""
    colour = COLOURS.get(status, "dim")
    return f"[{colour}]{status}[/{colour}]"


def seconds(milliseconds: float | None) -> str:
    """A duration for people."""
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def given_data(text: str | None) -> dict[str, Any]:
    """The object that an option `--data` gives: JSON, or @FILE; empty where it is left out.

    Raises:
        UserError: It is no object.
    """
    from dag_factory.reading import parse_json, read_file  # noqa: PLC0415
    from oneo.errors import UserError  # noqa: PLC0415

    if text is None:
        return {}
    value = read_file(Path(text[1:])) if text.startswith("@") else parse_json(text.encode(), "--data")
    if not isinstance(value, dict):
        raise UserError(
            "--data is not a JSON object", hint='write e.g. --data \'{"email": "ann@example.com"}\''
        )
    return value


def _document(workflow: str) -> Any:
    """The document of a file, or None where the argument is a workflow's id."""
    from dag_factory.reading import read_file  # noqa: PLC0415

    path = Path(workflow)
    return read_file(path) if path.suffix == ".json" or path.is_file() else None


def _stored(found: Any, tenant_id: str, workflow: str) -> Any:
    from oneo.store import workflows  # noqa: PLC0415

    with found.tenant(tenant_id) as session:
        return workflows.get_version(session, workflow).document
