"""What a supervisor that was killed has left running."""

from __future__ import annotations

from oneo_app.stack import embedded, state
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import kill


def find(where: Layout) -> list[str]:
    """Components that still run although their supervisor does not, as `name (pid 12)`."""
    last = state.read(where)
    if last is None or last.supervisor_alive:
        return []
    return [
        f"{entry.name} (pid {entry.pid})"
        for entry in last.components
        if entry.identity is not None and entry.identity.family()
    ]


def stop(where: Layout) -> list[str]:
    """Stop them; the caller holds the stack's lock.

    Returns:
        What was stopped.
    """
    found = find(where)
    last = state.read(where)
    if last is not None:
        for entry in last.components:
            if entry.identity is not None and entry.name != "postgres":
                kill(entry.identity.family())
        if any(entry.name == "postgres" and entry.pid for entry in last.components):
            embedded.stop(where)  # in order: nothing else of the stack is connected any more
        where.state_file.unlink(missing_ok=True)
    return found
