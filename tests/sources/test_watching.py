"""The process that reads changes of tables for the local stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from oneo.settings import settings
from oneo.store.models import RecordEvent
from oneo_app.stack.layout import layout
from oneo_app.stack.plan import choose_ports, stages
from tests.nodes.bench import Bench
from tests.sources.companies import TableCompanies


@pytest.fixture
def environment(bench: Bench, crm_url: URL, database_url: str, tmp_path: Path) -> dict[str, str]:
    connection = {
        "conn_type": "postgres",
        "host": crm_url.query.get("host") or crm_url.host,
        "port": crm_url.port,
        "login": crm_url.username,
        "password": crm_url.password,
        "schema": crm_url.database,
    }
    return {
        **os.environ,
        "ONEO_DATABASE_URL": database_url,
        "ONEO_READY_FILE": str(tmp_path / "ready"),
        f"AIRFLOW_CONN_ONEO__{bench.tenant.upper()}__CRM": json.dumps(connection),
    }


@contextmanager
def watching(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "oneo_app.capture"], env=environment, stdout=written, stderr=written
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def counted(bench: Bench) -> int:
    with bench.database.tenant(bench.tenant) as session:
        return session.scalar(select(func.count()).select_from(RecordEvent)) or 0


def until(holds: Callable[[], Any]) -> None:
    limit = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.1)


@pytest.mark.parametrize("how", ["trigger", "polling"])
def test_changes_are_read_as_they_come_also_after_a_kill(
    table: TableCompanies, bench: Bench, environment: dict[str, str], tmp_path: Path, how: str
) -> None:
    table.apply(capture=how, poll_seconds=0.2)
    table.connect()
    log = tmp_path / "log"
    with watching(environment, log) as process:
        until((tmp_path / "ready").exists)
        if how == "polling":
            # The first look makes no events.
            until(lambda: _looked(bench))
        table.add(name="Anna")
        until(lambda: counted(bench) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for number in range(5):
            table.add(name=f"n{number}")
    with watching(environment, log) as process:
        until(lambda: counted(bench) == 6)
        table.add(name="Zoe")
        until(lambda: counted(bench) == 7)
    assert process.returncode == 0
    assert counted(bench) == 7


def _looked(bench: Bench) -> bool:
    from oneo.store.models import SourceReader

    with bench.database.tenant(bench.tenant) as session:
        found = session.scalars(select(SourceReader)).one_or_none()
        return found is not None and found.seen_until is not None


def test_the_local_stack_reads_only_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("ONEO_HOME", str(tmp_path))
    names = []
    for wanted in ("false", "true"):
        monkeypatch.setenv("ONEO_CAPTURE", wanted)
        settings.cache_clear()
        ports, _ = choose_ports()
        found = stages(layout(), ports)
        names.append("capture" in [component.name for stage in found for component in stage.components])
    settings.cache_clear()
    assert names == [False, True]
