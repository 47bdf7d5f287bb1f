"""The main job: leads from a file become handled leads on real Airflow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dag_factory.reading import read_file
from oneo.database import Database
from oneo.importing import ImportOptions, ImportResult, Reading, import_file
from oneo.settings import settings
from oneo.store import executions, pipelines, tenants
from oneo.store.models import Execution, Record
from oneo_app.publishing import publish_and_wait
from oneo_app.report import execution_report
from oneo_app.stack.layout import project_root

WORKFLOW = Path("include/workflows/lead_qualification.json")
PIPELINES = Path("include/samples/pipelines")
KEY_COLUMN = "Prospect ID"
# The placeholder of the public lead data set for a question that was not answered.
NOT_ANSWERED = frozenset({"Select"})


@dataclass(frozen=True)
class Lead:
    """What became of one lead."""

    record_id: str
    name: str
    score: float | None
    route: str | None
    task: str | None
    status: str
    duration_ms: int | None
    url: str | None

    def as_json(self) -> dict[str, Any]:
        """As printed by `oneo demo --json`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def prepare(found: Database, tenant_id: str) -> dict[str, Any]:
    """Create the demo's pipelines and publish its workflow; returns what the publish brought about."""
    root = project_root()
    with found.tenant(tenant_id) as session:
        for path in sorted((root / PIPELINES).glob("*.json")):
            pipelines.apply(session, tenant_id, pipelines.parse_spec(read_file(path), str(path)))
    return publish_and_wait(found, tenant_id, read_file(root / WORKFLOW), timeout_seconds=60)


def import_leads(
    found: Database, tenant_id: str, path: Path, rows: int | None, progress: Callable[[ImportResult], None]
) -> ImportResult:
    """Import the first rows of a file of leads."""
    options = ImportOptions(
        rejects=settings().home / "rejects" / tenant_id / f"{path.stem}.rejects.csv",
        reading=Reading(key=KEY_COLUMN, not_answered=NOT_ANSWERED),
        limit=rows,
        keep_ids=True,
    )
    return import_file(found, tenant_id, "leads", path, options, progress)


def wait_for_leads(
    found: Database,
    tenant_id: str,
    record_ids: list[str],
    progress: Callable[[dict[str, int]], None],
    *,
    timeout_seconds: float,
) -> list[Lead]:
    """Wait until every lead has an execution that ended; those that have none in time are `lost`."""
    end = time.monotonic() + timeout_seconds
    wanted = {UUID(record_id) for record_id in record_ids}
    query = select(Execution).where(
        Execution.record_id.in_(wanted), Execution.workflow_id == "lead_qualification"
    )
    with found.listen("oneo_work") as connection:
        while True:
            with found.tenant(tenant_id) as session:
                rows = list(session.scalars(query))
                counts: dict[str, int] = {}
                for row in rows:
                    counts[row.status] = counts.get(row.status, 0) + 1
                progress(counts)
                finished = sum(counts.get(status, 0) for status in executions.FINAL)
                if finished >= len(wanted) or time.monotonic() > end:
                    return _leads(session, rows, record_ids)
            for _ in connection.notifies(timeout=0.5, stop_after=50):
                pass


def _leads(session: Any, rows: list[Execution], record_ids: list[str]) -> list[Lead]:
    by_record = {str(row.record_id): row for row in rows}
    leads = []
    for record_id in record_ids:
        row = by_record.get(record_id)
        if row is None:
            leads.append(Lead(record_id, record_id, None, None, None, "lost", None, None))
            continue
        report = execution_report(session, row)
        nodes = report["nodes"]

        def output(node_id: str, nodes: dict[str, Any] = nodes) -> dict[str, Any]:
            return (nodes.get(node_id) or {}).get("output") or {}

        task = output("call") or output("write")
        leads.append(
            Lead(
                record_id=record_id,
                name=(output("contact").get("contact") or {}).get("name") or record_id,
                score=(output("score").get("record") or {}).get("score"),
                route=output("route").get("branch"),
                task=task.get("title"),
                status=row.status,
                duration_ms=report["duration_ms"],
                url=report["url"],
            )
        )
    return leads


def fresh_tenant(found: Database, wanted: str) -> str:
    """A tenant without leads: the wanted one, else the first numbered one. Only new records start the workflow."""
    numbered = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
    for tenant_id in numbered:
        with found.system() as session:
            tenants.ensure(session, tenant_id)
        with found.tenant(tenant_id) as session:
            if session.scalar(select(Record.id).where(Record.pipeline_id == "leads").limit(1)) is None:
                return tenant_id
    raise AssertionError("the numbers never end")
