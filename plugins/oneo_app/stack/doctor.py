"""What can be wrong with a machine or a stack, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from importlib.util import find_spec
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement
from rich.console import Console

from oneo.database import Database
from oneo.errors import InfrastructureError, OneoError
from oneo.settings import settings
from oneo.store import outgoing
from oneo_app.stack import leftovers, postgres, state
from oneo_app.stack.databases import needs_embedded, resolve
from oneo_app.stack.layout import layout
from oneo_app.stack.migrate import airflow_revision, oneo_revisions
from oneo_app.stack.ports import holder, is_free

_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}
_NEEDED_GB = 1.0
_COMFORTABLE_GB = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was checked.
        verdict: `fail` means that something will not work.
        detail: What was found.
        remedy: What to do, where there is something to do.
    """

    check: str
    verdict: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as printed by `oneo doctor --json`."""
        return asdict(self)


def examine() -> list[Finding]:
    """Run every check; one that breaks is a finding, too."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _python,
        _airflow,
        _plugin,
        _time_zones,
        _bytecode,
        _disk,
        _socket,
        _port,
        _left_behind,
        _databases,
        _messages,
    ]
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check())
        except OneoError as error:
            findings.append(Finding(check.__name__.strip("_"), "fail", error.message, error.hint))
    return findings


def show(console: Console, findings: list[Finding]) -> None:
    """Print findings for people."""
    for finding in findings:
        console.print(_MARKS[finding.verdict], finding.check, end=": ", highlight=False)
        console.print(finding.detail, markup=False, highlight=False, soft_wrap=True)
        if finding.remedy:
            console.print(f"    → {finding.remedy}", markup=False, highlight=False, soft_wrap=True)


def _python() -> Iterator[Finding]:
    found = ".".join(str(part) for part in sys.version_info[:3])
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = (
        None if good else "use Python 3.11, 3.12 or 3.13: remove .venv, then `make setup PYTHON=python3.12`"
    )
    yield Finding("Python", "ok" if good else "fail", found, remedy)


def _airflow() -> Iterator[Finding]:
    wanted = next(
        requirement
        for requirement in map(Requirement, requires("oneo-workflows") or [])
        if requirement.name == "apache-airflow"
    )
    try:
        found = version("apache-airflow")
    except PackageNotFoundError:
        found = "not installed"
    good = found != "not installed" and wanted.specifier.contains(found)
    remedy = None if good else f"this product is built for {wanted}: `make setup`"
    yield Finding("Airflow version", "ok" if good else "fail", found, remedy)


def _plugin() -> Iterator[Finding]:
    entry = next((one for one in entry_points(group="airflow.plugins") if one.name == "oneo"), None)
    if entry is None:
        yield Finding("Airflow plugin", "fail", "the entry point `oneo` is not registered", "`make setup`")
    elif find_spec(entry.module) is None:
        yield Finding("Airflow plugin", "fail", f"{entry.module} cannot be found", "`make setup`")
    else:
        yield Finding("Airflow plugin", "ok", entry.value)


def _time_zones() -> Iterator[Finding]:
    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        yield Finding("time zones", "fail", "no time zone data", "install the package `tzdata`: `make setup`")
    else:
        yield Finding("time zones", "ok", "data found")


def _bytecode() -> Iterator[Finding]:
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield Finding(
            "bytecode",
            "warn",
            "PYTHONDONTWRITEBYTECODE is set: Airflow commands start three times slower (the stack itself ignores it)",
            "unset PYTHONDONTWRITEBYTECODE",
        )
    else:
        yield Finding("bytecode", "ok", "cached")


def _disk() -> Iterator[Finding]:
    home = settings().home
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    verdict: Literal["ok", "warn", "fail"] = (
        "fail" if free < _NEEDED_GB else "warn" if free < _COMFORTABLE_GB else "ok"
    )
    remedy = None if verdict == "ok" else "free some space, or set ONEO_HOME to a folder on another disk"
    yield Finding("disk", verdict, f"{free:.1f} GB free for {home}", remedy)
    if not os.access(existing, os.W_OK):
        yield Finding("folder", "fail", f"{existing} is not writable", "set ONEO_HOME to a folder of yours")


def _socket() -> Iterator[Finding]:
    if needs_embedded():
        chosen = postgres.socket_dir(layout())
        note = "" if chosen == layout().pg else ", since the usual path is too long for a socket"
        yield Finding("PostgreSQL socket", "ok", f"{chosen}{note}")


def _port() -> Iterator[Finding]:
    wished = settings().airflow_port
    if state.running(layout()) is not None:
        return
    if is_free(wished):
        yield Finding("port", "ok", f"{wished} is free")
    else:
        yield Finding(
            "port",
            "warn",
            f"{wished} is taken by {holder(wished)}; the stack will use the next free one",
            "set ONEO_AIRFLOW_PORT to choose one yourself",
        )


def _left_behind() -> Iterator[Finding]:
    found = leftovers.find(layout())
    if found:
        yield Finding(
            "leftovers", "fail", f"left by a killed stack: {', '.join(found)}", "`oneo down` stops them"
        )
    else:
        yield Finding("leftovers", "ok", "none")


def _databases() -> Iterator[Finding]:
    where = layout()
    if needs_embedded() and postgres.postmaster(where) is None:
        yield Finding("databases", "warn", "the embedded PostgreSQL does not run", "start it with `oneo up`")
        return
    databases = resolve(where)
    revision = airflow_revision(databases.airflow)
    if revision is None:
        yield Finding("database airflow", "fail", "not migrated", "`oneo up` migrates it")
    else:
        yield Finding("database airflow", "ok", f"reachable, at revision {revision}")
    found, newest = oneo_revisions(databases.oneo)
    if found == newest:
        yield Finding("database oneo", "ok", f"reachable, at revision {found}")
    else:
        yield Finding(
            "database oneo",
            "fail",
            f"at revision {found or 'none'}, this version needs {newest}",
            "`oneo down`, then `oneo up` migrates it",
        )


def _messages() -> Iterator[Finding]:
    """Messages that wait for something, or may not have been sent."""
    where = layout()
    if needs_embedded() and postgres.postmaster(where) is None:
        return
    url = resolve(where).oneo
    try:
        found, newest = oneo_revisions(url)
    except InfrastructureError:
        found, newest = None, ""
    if found != newest:
        # The check of the databases has said so.
        return
    store = Database(url)
    try:
        with store.system() as session:
            rows = outgoing.troubled(session)
    finally:
        store.dispose()
    for tenant_id, status, problem, count in rows:
        yield Finding(
            "messages",
            "warn",
            f"{count} of tenant {tenant_id} {'wait' if status == 'queued' else 'may not have been sent'}: {problem}",
            f"`oneo notifications list --tenant {tenant_id} --status {status}` shows them",
        )
    if not rows:
        yield Finding("messages", "ok", "none waits for anything")
