"""The stack's state on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oneo_app.stack.layout import Layout
from oneo_app.stack.secrets import login
from oneo_app.stack.state import Failure, StackState

_MARKS = {
    "ready": "[green]✓[/]",
    "done": "[green]✓[/]",
    "starting": "[blue]…[/]",
    "running": "[blue]…[/]",
    "restarting": "[yellow]↻[/]",
    "failed": "[red]✗[/]",
}


class Progress:
    """Prints a line whenever the state of a component or a step changes.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, str] = {}

    def __call__(self, state: StackState) -> None:
        """Print what has changed since the last call."""
        for note in state.notes:
            self._line(f"note {note}", "", f"[yellow]![/] {escape(note)}")
        for entry in state.components:
            detail = entry.detail or (f"{entry.ready_seconds} s" if entry.state == "ready" else "")
            text = f"{_MARKS.get(entry.state, ' ')} {entry.name:<20} {entry.state:<10} {escape(detail)}"
            self._line(entry.name, entry.state, text)
        for step in state.steps:
            detail = f"{step.seconds} s" if step.seconds is not None else ""
            self._line(
                step.name,
                step.state,
                f"{_MARKS.get(step.state, ' ')} {step.name:<20} {step.state:<10} {detail}",
            )

    def _line(self, key: str, value: str, text: str) -> None:
        if self._shown.get(key) == value or value == "waiting":
            return
        self._shown[key] = value
        self._console.print(text, highlight=False, soft_wrap=True)


def show_ready(console: Console, state: StackState, where: Layout) -> None:
    """Where the stack is and how to get in."""
    took = f" after {state.ready_seconds:.0f} s" if state.ready_seconds else ""
    console.print(
        f"[bold green]ready[/]{took}: {state.ui} (supervisor pid {state.supervisor})", highlight=False
    )
    _show_login(console, where)


def show_failure(console: Console, failure: Failure) -> None:
    """What failed, and the end of its log."""
    console.print(
        f"[bold red]{failure.component}[/]: {escape(failure.message)}", highlight=False, soft_wrap=True
    )
    for line in failure.last_lines:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if failure.log:
        console.print(f"full log: {failure.log}", markup=False, highlight=False, soft_wrap=True)


def show_status(console: Console, report: dict[str, Any], where: Layout) -> None:
    """The table of `oneo status`."""
    if report["components"]:
        table = Table("component", "state", "pid", "restarts", "url", box=None, pad_edge=False)
        for entry in report["components"]:
            mark = _MARKS.get(entry["state"], " ")
            table.add_row(
                entry["name"],
                f"{mark} {entry['state']}",
                str(entry["pid"] or ""),
                str(entry["restarts"]),
                entry["url"] or "",
            )
        console.print(table)
        console.print(f"{report['phase']}; logs in {where.logs}", highlight=False, soft_wrap=True)
        _show_login(console, where)
        return
    console.print("the stack does not run; start it with `oneo up`", highlight=False)
    if report["leftovers"]:
        console.print(
            f"[yellow]left by a killed stack:[/] {', '.join(report['leftovers'])}; `oneo down` stops them"
        )
    if report["failure"]:
        console.print("the last start failed:", highlight=False)
        show_failure(console, Failure.model_validate(report["failure"]))


def _show_login(console: Console, where: Layout) -> None:
    if (known := login(where)) is not None:
        user, password = known
        console.print(
            f"log in as {user} / {password}  (kept in {where.login_file})",
            markup=False,
            soft_wrap=True,
            highlight=False,
        )
