"""Where people look at an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from oneo.settings import settings
from oneo.store import families

if TYPE_CHECKING:
    from oneo.store.models import Execution


def run_url(row: Execution) -> str | None:
    """The run's page in the Airflow UI; None for executions without a DAG run of their own."""
    if not families.has_dag_run(row):
        return None
    return f"{settings().public_url.rstrip('/')}/dags/{quote(row.dag_id)}/runs/{quote(row.run_id)}"
