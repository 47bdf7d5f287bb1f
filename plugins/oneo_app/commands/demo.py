"""`oneo demo`: the main job, from nothing to a table of handled leads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from oneo_app.commands.runs import coloured, seconds
from oneo_app.console import USER_PROBLEM, Json, err, out, plain_errors, print_json, table


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def demo(
    leads: Annotated[Path, typer.Option("--leads", help="CSV file of leads.")] = Path(
        "include/samples/leads.csv"
    ),
    rows: Annotated[int, typer.Option("--rows", min=1, help="Leads to handle.")] = 25,
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Tenant to use; one without leads.")] = "demo",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the last lead.")] = 900,
    as_json: Json = False,
) -> None:
    """Start the stack, publish lead qualification, import leads and show what became of each."""
    from oneo.errors import UserError  # noqa: PLC0415 - the command line must start fast
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        if not leads.is_file():
            raise UserError(f"there is no file {leads}", hint="give a CSV file: make demo LEADS=path ROWS=50")
        _ensure_stack()
        connect.airflow_environment()
        with connect.running_stack() as found:
            result, handled = _handle(found, tenant, leads, rows, timeout, quiet=as_json)
        bad = [lead for lead in handled if lead.status != "success"]
        if as_json:
            print_json({"import": result.as_json(), "leads": [lead.as_json() for lead in handled]})
        else:
            _show(result, handled)
        if bad or result.rejected or not handled:
            raise typer.Exit(USER_PROBLEM)


def _ensure_stack() -> None:
    from oneo_app.stack import state  # noqa: PLC0415
    from oneo_app.stack.display import Progress as StackProgress  # noqa: PLC0415
    from oneo_app.stack.display import show_failure, show_ready  # noqa: PLC0415
    from oneo_app.stack.launch import follow, start_detached  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    where = layout()
    progress = StackProgress(err)
    running = state.running(where)
    current = follow(where, running, progress) if running is not None else start_detached(where, progress)
    if current.failure is not None:
        show_failure(err, current.failure)
        raise typer.Exit(3)
    show_ready(err, current, where)


def _handle(
    found: Any, tenant: str, leads: Path, rows: int, timeout: float, *, quiet: bool
) -> tuple[Any, list[Any]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn  # noqa: PLC0415

    from oneo_app import demo as job  # noqa: PLC0415

    tenant_id = job.fresh_tenant(found, tenant)
    published = job.prepare(found, tenant_id)
    err.print(f"published {published['workflow']} version {published['version']} for tenant {tenant_id}")
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet) as bar:
        importing = bar.add_task("leads imported", total=rows)
        handling = bar.add_task("leads handled", total=rows)
        result = job.import_leads(
            found, tenant_id, leads, rows, lambda so_far: bar.update(importing, completed=so_far.read)
        )
        bar.update(importing, total=result.read)
        bar.update(handling, total=len(result.record_ids))

        def show(counts: dict[str, int]) -> None:
            ended = sum(counts.get(status, 0) for status in ("success", "failed", "cancelled"))
            bar.update(handling, completed=ended)

        handled = job.wait_for_leads(found, tenant_id, result.record_ids, show, timeout_seconds=timeout)
    return result, handled


def _show(result: Any, handled: list[Any]) -> None:
    shown = table("lead", "score", "route", "task", "status", "duration", "run")
    for lead in handled:
        score = "-" if lead.score is None else f"{lead.score:g}"
        # A terminal opens the link behind a word; a file needs the address itself.
        shown_link = "open" if out.is_terminal else lead.url
        link = f"[link={lead.url}]{shown_link}[/link]" if lead.url else "-"
        name = lead.name.replace("[", r"\[")
        task = (lead.task or "-").replace("[", r"\[")
        shown.add_row(
            name, score, lead.route or "-", task, coloured(lead.status), seconds(lead.duration_ms), link
        )
    out.print(shown)
    good = sum(lead.status == "success" for lead in handled)
    if out.is_terminal:
        out.print(f"Airflow UI: {handled[0].url.split('/dags/')[0]}" if handled and handled[0].url else "")
    out.print(f"{result.read} read, {result.rejected} rejected, {len(handled)} leads, {good} handled")
    if result.rejects_file:
        err.print(f"[yellow]rows that do not fit, with the reasons: {result.rejects_file}[/yellow]")
    out.print("The stack stays up; stop it with `make stop`.")
