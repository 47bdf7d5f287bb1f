"""One task for a whole workflow beside a task for each node, on the same stack."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from uuid import UUID

from bench.measure import Measurement
from bench.stack import BenchStack
from bench.workflows import six_nodes
from oneo.store import executions
from oneo_app import runs

TENANT = "bench"
AT_ONCE = 80


def measure_fusion(stack: BenchStack, rounds: int, say: Callable[[str], None]) -> list[Measurement]:
    """Latency of one run, and runs per second where many are wanted at once."""
    dag_ids = {}
    for way in ("node", "fused"):
        settings = {"granularity": way, "max_active_runs": AT_ONCE}
        document = {**six_nodes(f"six-{way}"), "settings": settings}
        dag_ids[way] = stack.publish(document, TENANT)["dag_id"]
        stack.latency(dag_ids[way], f"warm-up-{way}")
    say(f"{rounds} rounds of six nodes in a task each and in one task, in turn")
    took: dict[str, list[float]] = {"node": [], "fused": []}
    for number in range(rounds):
        for way, dag_id in dag_ids.items():
            took[way].append(stack.latency(dag_id, f"fusion-{number}"))
    node, fused = (statistics.median(took[way]) for way in ("node", "fused"))
    say(f"{AT_ONCE} runs at once, of each kind")
    rates = {way: _rate(stack, f"six-{way}") for way in ("node", "fused")}
    return [
        Measurement(
            "six nodes fused / six tasks, latency",
            fused / node,
            1 / 3,
            detail=f"{fused:.2f} s / {node:.2f} s",
        ),
        Measurement(
            "six tasks / six nodes fused, runs per second",
            rates["node"] / rates["fused"],
            1 / 4,
            detail=f"{rates['node']:.1f} / {rates['fused']:.1f}",
        ),
    ]


def _rate(stack: BenchStack, workflow_id: str) -> float:
    """Runs per second, from asking for the first to the end of the last."""
    start = time.monotonic()
    begun = [runs.enqueue(stack.database, TENANT, workflow_id, {}).execution_id for _ in range(AT_ONCE)]
    while not _all_ended(stack, begun):
        if time.monotonic() - start > 300:
            raise RuntimeError(f"{AT_ONCE} runs of {workflow_id} have not ended in 300 s")
        time.sleep(0.05)
    return AT_ONCE / (time.monotonic() - start)


def _all_ended(stack: BenchStack, begun: list[UUID]) -> bool:
    with stack.database.tenant(TENANT) as session:
        ended = {row.id for row in executions.recent(session, status="success", limit=10_000)}
        failed = executions.recent(session, status="failed", limit=1)
    if failed:
        raise RuntimeError(f"execution {failed[0].id} failed: {failed[0].error}")
    return ended.issuperset(begun)
