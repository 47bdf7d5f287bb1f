"""Starts a supervisor in the background, follows one on its way up, and stops one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil

from oneo.errors import InfrastructureError
from oneo_app.stack import leftovers, state
from oneo_app.stack.environ import child_environment
from oneo_app.stack.files import FileLock, tail
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import Identity, kill
from oneo_app.stack.state import StackState
from oneo_app.stack.supervisor import Observer

_POLL = 0.1
_STOP_TIMEOUT = 60.0


def start_detached(where: Layout, observer: Observer) -> StackState:
    """Start a supervisor that outlives this process, and follow it.

    Args:
        where: The stack's folder.
        observer: Told of every change.

    Returns:
        The state once it is ready, or failed.

    Raises:
        InfrastructureError: The supervisor itself did not start.
    """
    where.create()
    with where.log("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oneo_app.stack.serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=child_environment({"ONEO_HOME": str(where.home)}),
            start_new_session=True,
        )
    while (current := state.running(where)) is None:
        if process.poll() is not None:
            # Either it failed before it had a state to write, or another one has the lock and is about to write.
            failed = state.read(where)
            if failed is not None and failed.failure is not None:
                return failed
            if process.returncode != 0:
                last = "\n".join(tail(where.log("supervisor"), 5))
                raise InfrastructureError(f"the supervisor did not start: {last}")
        time.sleep(_POLL)
    return follow(where, current, observer)


def follow(where: Layout, current: StackState, observer: Observer) -> StackState:
    """Follow a running supervisor until the stack is ready or has failed.

    Raises:
        InfrastructureError: It ended without saying why.
    """
    while True:
        observer(current)
        if current.phase in {"ready", "degraded", "failed"}:
            return current
        supervisor = Identity(current.supervisor, current.supervisor_created)
        ended = not supervisor.is_alive()
        latest = state.read(where)
        if latest is None or (ended and latest.phase != "failed"):
            raise InfrastructureError(
                "the stack was stopped while it started", hint=f"see {where.log('supervisor')}"
            )
        if latest == current:
            time.sleep(_POLL)
        current = latest


def stop(where: Layout) -> list[str]:
    """Stop the stack, or what a killed one has left.

    Returns:
        What was stopped: nothing where nothing ran.

    Raises:
        InfrastructureError: The supervisor does not end.
    """
    if not where.home.exists():
        return []
    lock = FileLock(where.lock_file)
    stopped: list[str] = []
    end = time.monotonic() + _STOP_TIMEOUT
    while not lock.acquire(wait=False):
        if (current := state.running(where)) is not None:
            stopped = [
                f"{entry.name} (pid {entry.pid})" for entry in current.components if entry.pid
            ] or stopped
            _end(Identity(current.supervisor, current.supervisor_created), end)
        if time.monotonic() > end:
            raise InfrastructureError("another command is starting or stopping the stack", hint="try again")
        time.sleep(_POLL)
    try:
        return [*stopped, *leftovers.stop(where)]
    finally:
        lock.release(remove=True)


def _end(supervisor: Identity, end: float) -> None:
    process = supervisor.process()
    if process is None:
        return
    supervisor.signal(signal.SIGTERM)
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except psutil.TimeoutExpired:
        kill([process])  # what it leaves is then stopped as leftovers
