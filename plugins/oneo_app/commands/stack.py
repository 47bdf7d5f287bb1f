"""`oneo up`, `down`, `status`, `doctor`: the local stack."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from oneo_app.console import Json, plain_errors, print_json


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(doctor)


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running in the background.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start PostgreSQL, Airflow and the dispatcher; without --detach, run until Ctrl-C."""
    from oneo_app.stack import state  # noqa: PLC0415 - the command line must start fast
    from oneo_app.stack.display import Progress  # noqa: PLC0415
    from oneo_app.stack.launch import follow, start_detached  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    with plain_errors(as_json):
        where = layout()
        console = Console(stderr=as_json)
        progress = Progress(console)
        if (running := state.running(where)) is not None:
            console.print(
                f"already running: supervisor pid {running.supervisor}, {running.ui}", highlight=False
            )
            _report(follow(where, running, progress), as_json)
        elif detach:
            _report(start_detached(where, progress), as_json)
            console.print("stop it with `oneo down`", highlight=False)
        else:
            _run_here(progress, as_json)


def down(as_json: Json = False) -> None:
    """Stop everything, also what a killed stack has left."""
    from oneo_app.stack.launch import stop  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    with plain_errors(as_json):
        stopped = stop(layout())
        if as_json:
            print_json({"stopped": stopped})
        else:
            print_line = Console(highlight=False).print
            print_line(f"stopped {', '.join(stopped)}" if stopped else "nothing was running", soft_wrap=True)


def status(as_json: Json = False) -> None:
    """Show what runs."""
    from oneo_app.stack.display import show_status  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415
    from oneo_app.stack.report import status as read_status  # noqa: PLC0415

    with plain_errors(as_json):
        report = read_status()
        if as_json:
            print_json(report)
        else:
            show_status(Console(), report, layout())


def doctor(as_json: Json = False) -> None:
    """Check this machine and the stack; each finding with its remedy."""
    from oneo_app.stack.doctor import examine, show  # noqa: PLC0415

    with plain_errors(as_json):
        findings = examine()
        if as_json:
            print_json([finding.as_json() for finding in findings])
        else:
            show(Console(), findings)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)


def _run_here(progress: Any, as_json: bool) -> None:
    from oneo_app.stack.display import show_failure, show_ready  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415
    from oneo_app.stack.report import status as read_status  # noqa: PLC0415
    from oneo_app.stack.serve import serve  # noqa: PLC0415
    from oneo_app.stack.state import StackState  # noqa: PLC0415

    where = layout()
    console = Console(stderr=as_json)
    announced = False

    def observe(current: StackState) -> None:
        nonlocal announced
        progress(current)
        if current.phase == "ready" and not announced:
            announced = True
            show_ready(console, current, where)
            console.print("stop it with Ctrl-C", highlight=False)
            if as_json:
                print_json(read_status())

    failure = serve(where, observe)
    if failure is not None:
        show_failure(console, failure)
        raise typer.Exit(3)


def _report(current: Any, as_json: bool) -> None:
    from oneo_app.stack.display import show_failure, show_ready  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415
    from oneo_app.stack.report import status as read_status  # noqa: PLC0415

    console = Console(stderr=as_json)
    if as_json:
        print_json(read_status())
    if current.failure is not None:
        show_failure(console, current.failure)
        raise typer.Exit(3)
    show_ready(console, current, layout())
