"""From an event that is committed to the DAG run that it has brought about, on an idle stack."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from sqlalchemy import select

from bench.measure import Measurement
from bench.stack import BenchStack
from oneo.store import emitting
from oneo.store.models import Execution
from oneo.store.workflows import dag_id

TENANT = "bench"
EVENTS = 40
BOUND_SECONDS = 0.5


def measure_reacting(stack: BenchStack, say: Callable[[str], None]) -> list[Measurement]:
    """How long it takes, one event after the other; the run is there once its execution counts as running."""
    config = {"event": "bench_reacted"}
    nodes = [
        {"id": "start", "type": "trigger_event", "config": config},
        {"id": "seen", "type": "set_variable", "config": {"variables": {"seen": True}}},
    ]
    stack.publish({"id": "reacts", "name": "Reacts", "nodes": nodes}, TENANT)
    say(f"{EVENTS} events, each to its DAG run")
    took = sorted(_one(stack, number) for number in range(EVENTS))
    p95 = took[int(EVENTS * 0.95) - 1]
    median = statistics.median(took)
    return [
        Measurement(
            "event to created run, p95", p95, BOUND_SECONDS, " s", detail=f"median {median:.3f} s of {EVENTS}"
        )
    ]


def _one(stack: BenchStack, number: int) -> float:
    with stack.database.tenant(TENANT) as session:
        event_id = emitting.emit(session, TENANT, "bench_reacted", {"number": number})
    begun = time.monotonic()
    query = select(Execution.status).where(
        Execution.dag_id == dag_id(TENANT, "reacts"), Execution.event_id == event_id
    )
    while True:
        with stack.database.tenant(TENANT) as session:
            status = session.scalar(query)
        if status not in (None, "pending"):
            break
        if time.monotonic() - begun > 30:
            raise RuntimeError(f"event {event_id} has not started its workflow in 30 s")
        time.sleep(0.005)
    took = time.monotonic() - begun
    # The next event finds the stack idle again.
    while status not in ("success", "failed"):
        time.sleep(0.05)
        with stack.database.tenant(TENANT) as session:
            status = session.scalar(query)
    return took
