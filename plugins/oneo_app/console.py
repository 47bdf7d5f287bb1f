"""How commands talk: tables for people, JSON for programs, one sentence and an exit code for what goes wrong."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from oneo.database import to_json
from oneo.errors import InfrastructureError, InvalidDefinitionError, OneoError, UserError
from oneo.problems import Problem

# Exit codes: 0 fine, 1 the user's problem, 2 usage (typer's own), 3 ours.
USER_PROBLEM = 1
OUR_PROBLEM = 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Tenant = Annotated[str | None, typer.Option("--tenant", "-t", help="Tenant; default: ONEO_TENANT.")]


def _console(*, stderr: bool) -> Console:
    """A console that fills a terminal, and keeps a table's rows whole where it writes to a file."""
    console = Console(highlight=False, soft_wrap=True, stderr=stderr)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 250
    return console


out = _console(stderr=False)
err = _console(stderr=True)


def print_json(value: Any) -> None:
    """Print a value as JSON, and nothing else, to standard output."""
    typer.echo(to_json(value))


def answer(value: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print `value` as JSON, or what `show` makes of it for people."""
    if as_json:
        print_json(value)
    else:
        show()


@contextmanager
def plain_errors(as_json: bool) -> Iterator[None]:
    """Turn expected errors into a message and an exit code; nobody is shown a stack trace for their own mistake."""
    try:
        yield
    except OneoError as error:
        if as_json:
            print_json({"error": error.as_json()})
        _complain(error)
        raise typer.Exit(USER_PROBLEM if isinstance(error, UserError) else exit_code(error)) from None
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except Exception as error:
        if as_json:
            print_json({"error": {"type": type(error).__name__, "message": str(error), "hint": None}})
        err.print(traceback.format_exc(), markup=False)
        err.print("[red]This is a defect of Oneo Workflows, not of what you gave it.[/red]")
        raise typer.Exit(OUR_PROBLEM) from None


def exit_code(error: OneoError) -> int:
    """1 where the caller can mend it: a database that is down or was never started is among that."""
    return USER_PROBLEM if isinstance(error, InfrastructureError) else OUR_PROBLEM


def _complain(error: OneoError) -> None:
    if isinstance(error, InvalidDefinitionError):
        show_problems(error.problems, err)
        return
    err.print(f"[red]{_escaped(error.message)}[/red]")
    if error.hint:
        err.print(f"  {_escaped(error.hint)}")


def show_problems(problems: Sequence[Problem], console: Console = out) -> None:
    """List problems, each with its place and its remedy."""
    for problem in problems:
        colour = "red" if problem.severity == "error" else "yellow"
        where = f"{problem.node} " if problem.node else ""
        console.print(
            f"[{colour}]{problem.severity}[/{colour}] {_escaped(where)}[dim]{_escaped(problem.path)}[/dim]"
        )
        console.print(f"  {_escaped(problem.message)}")
        if problem.hint:
            console.print(f"  [green]→[/green] {_escaped(problem.hint)}")


def table(*columns: str, title: str | None = None) -> Table:
    """A table in the house style."""
    made = Table(title=title, title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
