"""A stack of its own for the measurements, in a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import make_url, update
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from oneo.database import Database
from oneo.store.models import Workflow
from oneo_app.stack import api_client, embedded_postgres, state
from oneo_app.stack.databases import resolve
from oneo_app.stack.layout import layout

ROOT = Path(__file__).parent.parent


class BenchStack:
    """A running stack, its store and its Airflow."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "ONEO_HOME": str(home), "ONEO_AIRFLOW_PORT": "28080"}
        self.database: Database
        self.airflow: httpx.Client

    def oneo(self, *arguments: str) -> str:
        """Run a command against the stack."""
        command = [str(Path(sys.executable).parent / "oneo"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, cwd=ROOT, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"oneo {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start it and connect."""
        self.oneo("up", "--detach")
        where = layout(self.home)
        self.database = Database(resolve(where).oneo)
        self.airflow = api_client(where).connect()

    def stop(self) -> None:
        """Stop it; its state stays."""
        if hasattr(self, "airflow"):
            self.airflow.close()
            self.database.dispose()
        self.oneo("down")

    def forget_airflow(self) -> None:
        """Drop Airflow's database and files (the stack is stopped): it has never seen a workflow then."""
        where = layout(self.home)
        with (
            embedded_postgres(self.home) as urls,
            psycopg.connect(_superuser(urls.oneo), autocommit=True) as server,
        ):
            server.execute("DROP DATABASE airflow")
            with Database(urls.oneo).system() as session:
                session.execute(update(Workflow).values(live_version=None))
        shutil.rmtree(where.airflow_home / "dag_bundles", ignore_errors=True)
        (where.airflow_home / "migrated.json").unlink(missing_ok=True)

    def cold_start(self) -> Callable[[], None]:
        """Start the stack, return as soon as its DAG processor runs; the result waits for the rest."""
        command = [str(Path(sys.executable).parent / "oneo"), "up", "--detach"]
        starting = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, cwd=ROOT)
        while not self._runs("dag-processor"):
            time.sleep(0.05)
        self.database = Database(resolve(layout(self.home)).oneo)

        def rest() -> None:
            if starting.wait() != 0:
                raise RuntimeError("the stack did not start")
            self.airflow = api_client(layout(self.home)).connect()

        return rest

    def _runs(self, component: str) -> bool:
        current = state.read(layout(self.home))
        return current is not None and any(one.name == component and one.pid for one in current.components)

    def publish(self, document: dict[str, Any], tenant: str) -> dict[str, Any]:
        """Publish as users do."""
        path = self.home / "definition.json"
        path.write_text(json.dumps(document))
        published: dict[str, Any] = json.loads(self.oneo("publish", str(path), "--tenant", tenant, "--json"))
        return published

    def latency(self, dag_id: str, run_id: str) -> float:
        """Seconds from queueing a DAG run over REST to its end."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
        self.airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).raise_for_status()
        run = self._ended(dag_id, run_id)
        if run["state"] != "success":
            raise RuntimeError(f"run {run_id} of {dag_id} ended as {run['state']}")
        start, end = (datetime.fromisoformat(run[key]) for key in ("queued_at", "end_date"))
        return (end - start).total_seconds()

    @retry(
        retry=retry_if_result(lambda run: run["state"] not in ("success", "failed")),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(120),
    )
    def _ended(self, dag_id: str, run_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.airflow.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json()
        return answer


def _superuser(url: str) -> str:
    named = make_url(url).set(drivername="postgresql", username="postgres", database="postgres")
    return named.render_as_string(hide_password=False)


@contextmanager
def bench_stack() -> Iterator[BenchStack]:
    """A stack for the length of the measurements."""
    home = Path(tempfile.mkdtemp(prefix="oneo-bench-"))
    stack = BenchStack(home)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)
