"""A node's effect in another database takes place once, wherever the process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from oneo.errors import PermanentNodeError
from tests.nodes.bench import Bench, workflow
from tests.sources.companies import TableCompanies

COUNT = {
    "id": "count",
    "type": "update_record",
    "config": {
        "record_id": "{{ trigger.id }}",
        "pipeline_id": "companies",
        "increment_fields": {"visits": 1},
    },
}
MAKE = {
    "id": "make",
    "type": "create_record",
    "config": {"pipeline_id": "companies", "record_data": {"name": "Anna"}},
}
# At the commit of a change of the table, what our own store has not committed yet is lost.
LOSE_OURS = """
CREATE OR REPLACE FUNCTION lose_ours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE application_name = 'oneo_app' AND state = 'idle in transaction';
    RETURN NULL;
END $$
"""
# The commit waits until somebody lets it go on.
HOLD_UP = """
CREATE OR REPLACE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4711);
    RETURN NULL;
END $$
"""


def at_commit(companies: TableCompanies, definition: str, name: str) -> None:
    companies.crm.execute(definition)
    companies.execute(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON {} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION {name}()"
    )


def visits(companies: TableCompanies, key: str) -> int:
    found = companies.get(key)
    assert found is not None
    return int(found.get("visits", 0))


@pytest.fixture
def noted(table: TableCompanies) -> TableCompanies:
    """Companies in a database that keeps account of effects."""
    table.apply()
    table.connect()
    return table


def test_what_was_committed_there_and_lost_here_is_not_repeated(bench: Bench, noted: TableCompanies) -> None:
    key = noted.add(name="Anna", visits=1)
    at_commit(noted, LOSE_OURS, "lose_ours")
    state = bench.begin(workflow(COUNT, MAKE), {"id": key})
    for node, count in (("count", 1), ("make", 2)):
        first = bench.attempt(state, node, retries=True)
        assert (first.status, first.error is not None and first.error.retryable) == ("failed", True)
        assert visits(noted, key) == 2
        assert len(noted.all()) == count
    noted.execute("DROP TRIGGER at_commit ON {}")
    again = {node: bench.attempt(state, node) for node in ("count", "make")}
    assert [one.status for one in again.values()] == ["success", "success"]
    assert (again["count"].output["changed"], again["count"].output["record"]["visits"]) == (["visits"], 2)
    assert again["make"].output["created"] is True
    assert visits(noted, key) == 2
    assert [one["name"] for one in noted.all()] == ["Anna", "Anna"]


def test_without_an_account_it_is_reported_and_not_repeated(bench: Bench, table: TableCompanies) -> None:
    table.crm.execute("DROP SCHEMA IF EXISTS oneo_capture CASCADE")
    table.apply()
    key = table.add(name="Anna", visits=1)
    at_commit(table, LOSE_OURS, "lose_ours")
    state = bench.begin(workflow(COUNT), {"id": key})
    assert bench.attempt(state, "count", retries=True).status == "failed"
    table.execute("DROP TRIGGER at_commit ON {}")
    told = bench.attempt(state, "count", retries=True)
    assert isinstance(told.error, PermanentNodeError)
    assert "nobody can say whether the change took place" in told.error.message
    assert visits(table, key) == 2
    # Who runs it again has been told.
    assert bench.attempt(state, "count").status == "success"
    assert visits(table, key) == 3


def test_without_an_account_a_plain_failure_may_be_repeated(bench: Bench, table: TableCompanies) -> None:
    """What was rolled back there did not take place, and nobody needs to be told."""
    table.crm.execute("DROP SCHEMA IF EXISTS oneo_capture CASCADE")
    table.apply()
    key = table.add(name="Anna", visits=1)
    table.crm.execute(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '55P03'; END $$"
    )
    at_commit(table, "SELECT 1", "refuse")
    state = bench.begin(workflow(COUNT), {"id": key})
    assert bench.attempt(state, "count", retries=True).status == "failed"
    table.execute("DROP TRIGGER at_commit ON {}")
    assert bench.attempt(state, "count").status == "success"
    assert visits(table, key) == 2


def test_a_node_in_a_loop_takes_place_once_for_each_round(bench: Bench, noted: TableCompanies) -> None:
    key = noted.add(name="Anna", visits=0)
    document = {
        "name": "w",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "each", "type": "for_each", "config": {"items_source": "{{ [1, 2, 3] }}"}},
            COUNT,
        ],
        "edges": [
            {"source": "start", "target": "each"},
            {"source": "each", "target": "count", "loop": True},
            {"source": "count", "target": "each", "loop_back": True},
        ],
    }
    assert bench.run(document, {"id": key})["status"] == "success"
    assert visits(noted, key) == 3


def test_two_processes_of_one_attempt_take_place_once(bench: Bench, noted: TableCompanies) -> None:
    key = noted.add(name="Anna", visits=0)
    state = bench.begin(workflow(COUNT), {"id": key})
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: bench.attempt(state, "count", retries=True).status, range(8)))
    assert "success" in done
    assert visits(noted, key) == 1


@pytest.fixture
def held_up(noted: TableCompanies) -> Iterator[Any]:
    """Commits of changes of the table wait for this lock."""
    at_commit(noted, HOLD_UP, "hold_up")
    yield noted
    noted.crm.execute("SELECT pg_advisory_unlock_all()")


def test_a_process_killed_in_the_commit_repeats_nothing(
    bench: Bench, held_up: TableCompanies, crm: psycopg.Connection
) -> None:
    key = held_up.add(name="Anna", visits=1)
    crm.execute("SELECT pg_advisory_lock(4711)")
    state = bench.begin(workflow(COUNT), {"id": key})
    program = "import sys; from tests.sources.killed import attempt; attempt(*sys.argv[1:])"
    url = bench.vault.database_url(f"oneo__{bench.tenant}__crm")
    assert url is not None
    arguments = [
        bench.database.url.render_as_string(False),
        url.render_as_string(False),
        bench.tenant,
        str(state.id),
        key,
    ]
    child = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env={**os.environ, "PYTHONPATH": "."}
    )
    try:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
        _until(lambda: crm.execute(waiting).fetchone() == (1,), child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    crm.execute("SELECT pg_advisory_unlock(4711)")
    _until(lambda: visits(held_up, key) == 2)
    held_up.execute("DROP TRIGGER at_commit ON {}")
    again = bench.attempt(state, "count")
    assert (again.status, again.output["record"]["visits"]) == ("success", 2)
    assert visits(held_up, key) == 2


def _until(holds: Any, child: subprocess.Popen[bytes] | None = None) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        assert child is None or child.poll() is None
        time.sleep(0.05)
