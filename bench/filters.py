"""What a search of 100,000 records costs, beside SQL written by hand for the same page, in the same role."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from sqlalchemy import text

from bench.language import TENANT, store
from bench.measure import Measurement
from oneo.database import Database
from oneo.store import pipelines, records, search
from oneo.store.pipelines import PipelineField, PipelineSpec

RECORDS = 100_000
ROUNDS = 100
FIELDS = [
    PipelineField(id="email", indexed=True),
    PipelineField(id="score", type="number", indexed=True),
    PipelineField(id="city"),
]
_FILL = """
    INSERT INTO records (tenant_id, id, pipeline_id, data, created_at)
    SELECT :tenant, gen_random_uuid(), 'people', jsonb_build_object(
        'name', 'Person ' || n, 'email', 'p' || n % 1000 || '@example.com', 'score', n * 7919 % 1000,
        'city', (ARRAY['Berlin', 'Paris', 'Rome'])[1 + n % 3], 'notes', repeat('lorem ipsum ', 10)
    ), now() - n * interval '1 second'
    FROM generate_series(1, :count) AS n
"""
_BY_HAND = """
    SELECT records.* FROM record_index AS entry
    JOIN records ON records.tenant_id = entry.tenant_id AND records.id = entry.record_id
    WHERE entry.pipeline_id = 'people' AND records.deleted_at IS NULL AND {condition}
    ORDER BY {order} LIMIT 101
"""
_CASES: dict[str, tuple[dict[str, Any], str]] = {
    "equality": (
        {"filters": {"email": "p77@example.com"}},
        _BY_HAND.format(
            condition="entry.field = 'email' AND entry.kind = 1 AND entry.number = 0"
            " AND entry.text = 'p77@example.com'",
            order="entry.created_at, entry.record_id",
        ),
    ),
    "range and sort": (
        {"filters": {"score": {"$gte": 500}}, "sort": {"score": -1}},
        _BY_HAND.format(
            condition="entry.field = 'score' AND entry.kind = 2 AND entry.number >= 500",
            order="entry.number DESC, entry.text DESC, entry.created_at DESC, entry.record_id DESC",
        ),
    ),
}


def measure_filters(say: Callable[[str], None]) -> Iterator[Measurement]:
    """A page of 100 records, with its transaction: milliseconds, and as a ratio to SQL by hand."""
    say(f"searches of {RECORDS:,} records")
    with store() as database:
        _fill(database)
        for name, (asked, by_hand) in _CASES.items():
            # In turn: what else the machine does slows both.
            pairs = [(_page(database, asked), _hand(database, by_hand)) for _ in range(ROUNDS + 10)][10:]
            ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
            yield Measurement(f"page by {name}, p50", ours, 10, " ms")
            yield Measurement(f"page by {name} / SQL by hand", ours / theirs, 1.5, detail=f"{theirs:.2f} ms")


def _fill(database: Database) -> None:
    with database.tenant(TENANT) as session:
        pipelines.apply(session, TENANT, PipelineSpec(id="people", fields=FIELDS))
        session.execute(text(_FILL), {"tenant": TENANT, "count": RECORDS})
    url = database.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE records, record_index")


def _page(database: Database, asked: dict[str, Any]) -> float:
    start = time.perf_counter()
    with database.tenant(TENANT) as session:
        found = [records.view(row) for row in search.page(session, "people", **asked).rows]
    took = time.perf_counter() - start
    _check(len(found), 100)
    return took * 1000


def _hand(database: Database, statement: str) -> float:
    start = time.perf_counter()
    with database.tenant(TENANT) as session:
        found = [records.view(row) for row in session.execute(text(statement)).all()[:100]]
    took = time.perf_counter() - start
    _check(len(found), 100)
    return took * 1000


def _check(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"the page holds {found} records instead of {wanted}")
