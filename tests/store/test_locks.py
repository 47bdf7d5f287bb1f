"""Locks on values: the second to bring a value waits for the first, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import text

from oneo.database import Database
from oneo.store import records
from oneo.store.locks import lock_values


def test_what_must_exist_once_exists_once(database_url: str, tenant: str, leads: str):
    shared = Database(database_url, pool_size=10)
    together = Barrier(8)

    def create_unless_there(_: int) -> bool:
        together.wait()
        with shared.tenant(tenant) as session:
            lock_values(session, tenant, leads, [("email", "anna@x.de")])
            if records.find_equal(session, leads, "email", "anna@x.de"):
                return False
            records.create(session, tenant, leads, {"email": "anna@x.de"})
            return True

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create_unless_there, range(8)))
    shared.dispose()

    assert sum(created) == 1


def test_values_in_any_order_never_deadlock(database_url: str, tenant: str):
    shared = Database(database_url, pool_size=10)
    values = [("email", f"{number}@x.de") for number in range(50)]

    def take(number: int) -> None:
        with shared.tenant(tenant) as session:
            lock_values(session, tenant, "leads", values if number % 2 else reversed(values))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(40)))
    shared.dispose()


def test_locks_go_with_the_transaction_and_none_are_taken_for_nothing(database: Database, tenant: str):
    held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    with database.tenant(tenant) as session:
        lock_values(session, tenant, "leads", [])
        none = session.scalar(held)
        lock_values(session, tenant, "leads", [("a", 1), ("b", {"c": 2}), ("a", 1)])
        two = session.scalar(held)
    with database.tenant(tenant) as session:
        assert (none, two, session.scalar(held)) == (0, 2, 0)
