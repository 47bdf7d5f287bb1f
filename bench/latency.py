"""How long a workflow takes beside plain Airflow, alone and among a thousand, and how soon a thousand are live."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from bench.measure import Measurement
from bench.stack import BenchStack
from bench.workflows import six_nodes
from dag_factory.publish import publish
from oneo.store import workflows
from oneo.store.models import Workflow
from oneo_operators.catalogue import catalogue

TENANT = "bench"
BASELINE = "oneo_benchmark_baseline"
THOUSAND = 1000
PUBLISHES = 12
SAMPLES = Path(__file__).parent.parent / "include/samples/pipelines"


def measure_latency(stack: BenchStack, rounds: int, say: Callable[[str], None]) -> list[Measurement]:
    """Latency beside plain Airflow, time to live, and both among a thousand workflows."""
    dag_id = stack.publish(six_nodes(), TENANT)["dag_id"]
    stack.latency(dag_id, "warm-up")
    stack.latency(BASELINE, "warm-up")
    say(f"{rounds} rounds of a 6-node workflow and of 6 tasks that do nothing, in turn")
    ours, plain = _alternate(stack, dag_id, rounds, "alone")
    found = [
        Measurement(
            "6-node workflow / 6 no-op tasks",
            statistics.median(ours) / statistics.median(plain),
            1.15,
            detail=f"{statistics.median(ours):.2f} s / {statistics.median(plain):.2f} s",
        )
    ]
    found.append(_publishing(stack, say))
    say(f"publishing {THOUSAND} workflows")
    for number in range(THOUSAND - 1):
        publish(stack.database, TENANT, six_nodes(f"w{number:04}"), catalogue())
    _wait_until_live(stack, 600)
    crowd, plain_again = _alternate(stack, dag_id, rounds, "crowd")
    # Each beside its own baseline: the machine may have been busier in one half of the run than in the other.
    alone_ratio = statistics.median(ours) / statistics.median(plain)
    crowd_ratio = statistics.median(crowd) / statistics.median(plain_again)
    found.append(
        Measurement(
            f"6-node workflow among {THOUSAND} / alone",
            crowd_ratio / alone_ratio,
            1.2,
            detail=f"{statistics.median(crowd):.2f} s / {statistics.median(ours):.2f} s",
        )
    )
    found.append(_cold_start(stack, say))
    return found


def _alternate(stack: BenchStack, dag_id: str, rounds: int, name: str) -> tuple[list[float], list[float]]:
    ours, plain = [], []
    for number in range(rounds):
        ours.append(stack.latency(dag_id, f"{name}-{number}"))
        plain.append(stack.latency(BASELINE, f"{name}-{number}"))
    return ours, plain


def _publishing(stack: BenchStack, say: Callable[[str], None]) -> Measurement:
    say(f"{PUBLISHES} publishes of a changed workflow")
    samples = []
    for number in range(PUBLISHES):
        document = {**six_nodes("changing"), "description": f"change {number}"}
        start = time.monotonic()
        publish(stack.database, TENANT, document, catalogue())
        _wait_until_live(stack, 60)
        samples.append(time.monotonic() - start)
    p95 = sorted(samples)[max(0, round(0.95 * len(samples)) - 1)]
    return Measurement("publish to live, p95", p95, 4, " s", f"median {statistics.median(samples):.2f} s")


def _cold_start(stack: BenchStack, say: Callable[[str], None]) -> Measurement:
    """From the start of the DAG processor, with an Airflow that has never seen them, to the last being live."""
    say(f"cold start with {THOUSAND} workflows")
    stack.stop()
    stack.forget_airflow()
    rest = stack.cold_start()
    start = time.monotonic()
    _wait_until_live(stack, 600)
    seconds = time.monotonic() - start
    rest()
    return Measurement(f"cold start to {THOUSAND} live", seconds, 30, " s")


def _wait_until_live(stack: BenchStack, timeout: float) -> None:
    query = select(func.count()).select_from(Workflow).where(Workflow.active)
    query = query.where(Workflow.live_version.is_distinct_from(Workflow.version))
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with stack.database.system() as session:
            if session.scalar(query) == 0:
                return
        time.sleep(0.05)
    with stack.database.system() as session:
        waiting = len(workflows.awaiting_airflow(session))
    raise RuntimeError(f"{waiting} workflows are not live after {timeout} s")
