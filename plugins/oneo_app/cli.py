"""`oneo`: the command line."""

from __future__ import annotations

import os
import sys

import typer

from oneo_app.commands import (
    approvals,
    convert,
    definitions,
    demo,
    erase,
    events,
    explain,
    forms,
    hooks,
    mail,
    metrics,
    migrate,
    notifications,
    pipelines,
    records,
    runs,
    stack,
    suppress,
    tenants,
    tokens,
    workflows,
)

app = typer.Typer(
    name="oneo",
    help="CRM workflow automation on Apache Airflow.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for module in (
    stack,
    definitions,
    convert,
    workflows,
    runs,
    events,
    explain,
    records,
    metrics,
    pipelines,
    hooks,
    forms,
    approvals,
    notifications,
    tenants,
    tokens,
    suppress,
    erase,
    mail,
    migrate,
    demo,
):
    module.register(app)


def main() -> None:
    """Entry point of the `oneo` command."""
    # Airflow's own log lines do not belong between a command's output.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader (`| head`) has gone; say nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
