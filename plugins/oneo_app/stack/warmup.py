"""One run of the warm-up DAG through a worker, before the stack says it is ready."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from oneo.errors import InfrastructureError
from oneo_app.stack.api import ApiClient, log_in
from oneo_app.stack.layout import Layout

DAG_ID = "oneo_warmup"
_POLL = 0.1
_FINAL = frozenset({"success", "failed"})


async def warm_up(where: Layout, base_url: str) -> None:
    """Run the warm-up DAG to its end.

    Args:
        where: The stack's folder.
        base_url: Address of the api-server.

    Raises:
        InfrastructureError: Airflow refuses, or the run failed.
    """
    api = await asyncio.to_thread(log_in, base_url, where)
    async with httpx.AsyncClient(
        base_url=f"{api.base_url}/api/v2/dags/{DAG_ID}", headers=_headers(api), timeout=30, trust_env=False
    ) as client:
        run = await _trigger(client)
        while run["state"] not in _FINAL:
            await asyncio.sleep(_POLL)
            run = _json(await client.get(f"/dagRuns/{run['dag_run_id']}"))
    if run["state"] != "success":
        raise InfrastructureError(
            f"the warm-up run {run['dag_run_id']} failed",
            hint=f"see {where.airflow_home}/logs/dag_id={DAG_ID}",
        )


async def _trigger(client: httpx.AsyncClient) -> dict[str, Any]:
    run_id = f"start-{time.time_ns() // 1_000_000}"
    while True:
        answer = await client.post("/dagRuns", json={"logical_date": None, "dag_run_id": run_id})
        if answer.status_code != 404:
            return _json(answer)
        await asyncio.sleep(_POLL)  # not parsed yet, the first time


def _headers(api: ApiClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.token}"}


def _json(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise InfrastructureError(
            f"Airflow refuses {answer.request.method} {answer.request.url.path}: "
            f"{answer.status_code} {answer.text[:300]}"
        )
    return dict(answer.json())
