"""The supervisor's process: takes the lock, cleans up after a killed predecessor, runs the stack."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oneo.errors import InfrastructureError, OneoError, UserError
from oneo_app.stack import leftovers, plan
from oneo_app.stack.airflow_config import Ports, ui_url
from oneo_app.stack.component import Backoff, Stage
from oneo_app.stack.embedded import in_use
from oneo_app.stack.files import FileLock
from oneo_app.stack.layout import Layout, layout
from oneo_app.stack.state import Failure, StackState
from oneo_app.stack.supervisor import Observer, Supervisor, new_state


class AlreadyRunningError(UserError):
    """Another supervisor has the lock."""


def serve(where: Layout, observer: Observer | None = None) -> Failure | None:
    """Run the stack until told to stop.

    Args:
        where: The stack's folder.
        observer: Told of every change of state.

    Returns:
        Why the start failed, or None where the stack was stopped on request.

    Raises:
        AlreadyRunningError: Another supervisor runs.
    """
    with _only_one(where), _logging(where):
        stopped = leftovers.stop(where)
        ports, notes = plan.choose_ports()
        state = new_state()
        state.notes = [*(f"stopped a leftover of a killed stack: {name}" for name in stopped), *notes]
        state.ports = {"api": ports.api, "worker_logs": ports.worker_logs, "trigger_logs": ports.trigger_logs}
        state.ui = ui_url(ports.api)
        for note in state.notes:
            logging.getLogger("oneo.stack").info(note)
        return run(where, plan.stages(where, Ports(**state.ports)), state, observer=observer)


def run(
    where: Layout,
    stages: Sequence[Stage],
    state: StackState,
    *,
    observer: Observer | None = None,
    backoff: Backoff | None = None,
) -> Failure | None:
    """Run given stages; the caller holds the lock."""
    supervisor = Supervisor(where, stages, state, observer=observer, backoff=backoff)
    with in_use(where):  # commands must not stop a PostgreSQL that we took over from them
        failure = asyncio.run(supervisor.run())
    if failure is None:
        where.state_file.unlink(missing_ok=True)
    else:
        state.phase, state.failure = "failed", failure
        state.write(where)
    return failure


@contextmanager
def _only_one(where: Layout) -> Iterator[None]:
    where.create()
    lock = FileLock(where.lock_file)
    if not lock.acquire(wait=False):
        raise AlreadyRunningError(f"the stack of {where.home} is already running", hint="see `oneo status`")
    try:
        yield
    finally:
        lock.release(remove=True)


@contextmanager
def _logging(where: Layout) -> Iterator[None]:
    handler = logging.FileHandler(where.log("supervisor"))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("oneo.stack")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def main() -> int:
    """The detached supervisor: `python -m oneo_app.stack.serve`."""
    os.umask(0o077)
    try:
        return 0 if serve(layout()) is None else 3
    except AlreadyRunningError:
        return 0  # whoever started us follows the one that runs
    except OneoError as error:
        print(error, file=sys.stderr)  # noqa: T201 - goes to the supervisor's log
        return 3 if isinstance(error, InfrastructureError) else 1


if __name__ == "__main__":
    sys.exit(main())
