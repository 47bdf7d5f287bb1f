"""The embedded PostgreSQL for the length of one command, where no stack runs."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from oneo.errors import InfrastructureError
from oneo_app.stack import postgres
from oneo_app.stack.databases import DatabaseUrls, resolve
from oneo_app.stack.files import FileLock, tail
from oneo_app.stack.layout import Layout, layout
from oneo_app.stack.processes import kill

_TIMEOUT = 60.0


@contextmanager
def embedded_postgres(home: Path | None = None) -> Iterator[DatabaseUrls]:
    """Yield the URLs of a running PostgreSQL: the stack's, another command's, or one of our own.

    The databases exist but are not migrated. The last user stops a server that no stack supervises.

    Args:
        home: The stack's folder; the settings' by default.

    Raises:
        InfrastructureError: The server does not start.
    """
    where = layout(home)
    where.create()
    with in_use(where):
        with _changing(where):
            if postgres.postmaster(where) is None:
                _start(where)
            _wait_until_it_answers(where)
            postgres.create_databases(where)
        yield resolve(where)


@contextmanager
def in_use(where: Layout) -> Iterator[None]:
    """Count as a user of the server, which nobody else may stop then; the last one to leave stops it.

    The count is a lock that all users share, so one that is killed no longer counts; whoever can have it alone is
    the last.
    """
    users = FileLock(where.home / "pg-users.lock")
    users.acquire(shared=True)
    try:
        yield
    finally:
        with _changing(where):
            if users.acquire(wait=False):
                stop(where)
                users.release(remove=True)


def stop(where: Layout) -> None:
    """Stop the server, whoever started it: a fast shutdown first."""
    server = postgres.postmaster(where)
    process = server.process() if server is not None else None
    if server is None or process is None:
        return
    family = server.family()
    server.signal(postgres.STOP_SIGNAL)
    with suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        process.wait(_TIMEOUT)
    kill(family)


@contextmanager
def _changing(where: Layout) -> Iterator[None]:
    """One at a time starts or stops the server."""
    lock = FileLock(where.home / "pg-start.lock")
    lock.acquire()
    try:
        yield
    finally:
        lock.release(remove=True)


def _start(where: Layout) -> None:
    postgres.initialise(where)
    command = [
        str(postgres.binary("pg_ctl")),
        "start",
        "--wait",
        "--silent",
        f"--timeout={_TIMEOUT:.0f}",
        f"--pgdata={postgres.data_dir(where)}",
        f"--options={shlex.join(postgres.options(where))}",
    ]
    with where.log("postgres").open("ab") as log:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=False,
            start_new_session=True,  # Ctrl-C is for the command, which then stops the server in order
            **postgres.run_as(),
        )
    if done.returncode != 0:
        last = "\n".join(tail(where.log("postgres")))
        raise InfrastructureError(f"PostgreSQL did not start; its log {where.log('postgres')} ends:\n{last}")


def _wait_until_it_answers(where: Layout) -> None:
    """A server found running may have been started a moment ago."""
    end = time.monotonic() + _TIMEOUT
    while not postgres.answers(where):
        if time.monotonic() > end:
            raise InfrastructureError(f"PostgreSQL does not answer; see {where.log('postgres')}")
        time.sleep(0.05)
