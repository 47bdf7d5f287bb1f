"""What runs, for people and programs."""

from __future__ import annotations

from typing import Any

from oneo_app.stack import leftovers, state
from oneo_app.stack.layout import Layout, layout
from oneo_app.stack.secrets import USER


def status(where: Layout | None = None) -> dict[str, Any]:
    """The state of the stack as `oneo status --json` prints it; never fails because nothing runs."""
    where = where or layout()
    current = state.read(where)
    alive = current is not None and current.supervisor_alive
    report: dict[str, Any] = {
        "ready": bool(alive and current and current.phase == "ready"),
        "phase": "stopped",
        "supervisor": None,
        "home": str(where.home),
        "ui": None,
        "user": USER,
        "login_file": str(where.login_file),
        "components": [],
        "leftovers": leftovers.find(where),
        "failure": None,
    }
    if current is None:
        return report
    if not alive:
        failure = current.failure.model_dump() if current.failure else None
        return {**report, "phase": "failed" if failure else "stopped", "failure": failure}
    return {
        **report,
        **current.model_dump(
            include={"phase", "supervisor", "ui", "ports", "notes", "steps", "started_at", "ready_seconds"}
        ),
        "components": [entry.model_dump(exclude={"created"}) for entry in current.components],
    }
