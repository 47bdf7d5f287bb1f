"""What a dispatcher needs for ten thousand queued events: time for each, and memory that does not grow with them."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.measure import Measurement
from dag_factory.publish import publish
from oneo.database import Database, migrate
from oneo.store import pipelines, tenants
from oneo.store.pipelines import PipelineSpec
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.stack import embedded_postgres
from oneo_operators.catalogue import catalogue

TENANT = "bench"
EVENTS = 10_000
# Statements are compiled and caches filled by then.
WARM = 1000


def measure_draining(say: Callable[[str], None]) -> Iterator[Measurement]:
    """The matching of 10,000 events that wait, half of which start a workflow."""
    say(f"{EVENTS:,} events that wait for the dispatcher")
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home) / "db") as urls:
        migrate(urls.oneo_owner)
        database = Database(urls.oneo)
        try:
            _fill(database)
            yield from _drain(database)
        finally:
            database.dispose()


def _fill(database: Database) -> None:
    with database.system() as session:
        tenants.ensure(session, TENANT)
    with database.tenant(TENANT) as session:
        pipelines.apply(session, TENANT, PipelineSpec(id="leads"))
    config = {"pipeline_id": "leads", "field_filters": {"score": {"$gte": EVENTS // 2}}}
    nodes = [
        {"id": "start", "type": "trigger_record_created", "config": config},
        {"id": "set", "type": "set_variable", "config": {"variables": {"done": True}}},
    ]
    document = {"id": "w", "name": "W", "nodes": nodes, "settings": {"start": {"enrollment": "once"}}}
    publish(database, TENANT, document, catalogue())
    with database.tenant(TENANT) as session:
        session.execute(
            text(
                "INSERT INTO records (tenant_id, id, pipeline_id, data) SELECT :tenant, gen_random_uuid(), 'leads',"
                " jsonb_build_object('score', n, 'note', repeat('x', 1000)) FROM generate_series(1, :events) n"
            ),
            {"tenant": TENANT, "events": EVENTS},
        )


def _drain(database: Database) -> Iterator[Measurement]:
    process, index = psutil.Process(), TriggerIndex()
    done, begun, at_start = 0, time.perf_counter(), 0
    most = 0
    while count := match_events(database, index):
        done += count
        if at_start == 0 and done >= WARM:
            gc.collect()
            at_start = process.memory_info().rss
        most = max(most, process.memory_info().rss)
    took = time.perf_counter() - begun
    if done != EVENTS:
        raise RuntimeError(f"{done} events were handled instead of {EVENTS}")
    yield Measurement(f"matching {EVENTS:,} queued events, per event", took / done * 1000, 10, " ms")
    grown = max(0, most - at_start) / 2**20
    detail = f"from {at_start / 2**20:.0f} MB"
    yield Measurement(f"memory grown while {EVENTS:,} events drain", grown, 20, " MB", detail)
