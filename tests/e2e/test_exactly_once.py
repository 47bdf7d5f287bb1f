"""Every accepted event starts exactly what it should, once, whenever dispatchers are killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from oneo.database import Database, migrate
from oneo.store import tenants
from tests.dispatcher.crm import Crm
from tests.e2e import dispatching
from tests.e2e.traffic import Reconciliation, Traffic, all_done, handled, waiting
from tests.e2e.waiting import wait_until
from tests.store.conftest import owner_url

__all__ = ["owner_url"]

# `make chaos` asks for more.
EVENTS = int(os.environ.get("ONEO_CHAOS_EVENTS", "300"))
KILLS = int(os.environ.get("ONEO_CHAOS_KILLS", "4"))
SEED = int(os.environ.get("ONEO_CHAOS_SEED", "1"))
# How many events may wait: dispatchers are to be killed while events come in.
AHEAD = 100
TIMEOUT = 600


@pytest.fixture
def own(owner_url: str) -> Iterator[Database]:
    """A store nobody else works on."""
    migrate(owner_url)
    found = Database(owner_url)
    yield found
    found.dispose()


class Dispatchers:
    """Two dispatcher processes; whichever dies is replaced. By chance, some die at a point of their work."""

    def __init__(self, database: Database, chance: random.Random | None) -> None:
        self.url = database.url.render_as_string(hide_password=False)
        self.chance = chance
        self.deaths = 0
        self.running: list[BaseProcess] = []

    def __enter__(self) -> Dispatchers:
        self.running = [self._start(), self._start()]
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.running:
            one.kill()
            one.join()

    def kill(self, which: int) -> None:
        """Kill one, as `kill -9` does."""
        self.running[which].kill()
        self.running[which].join()

    def replace_dead(self) -> int:
        """Start a new one for each that has died; returns how many have died so far."""
        for place, one in enumerate(self.running):
            if not one.is_alive():
                one.join()
                self.deaths += 1
                self.running[place] = self._start()
        return self.deaths

    def _start(self) -> BaseProcess:
        if self.chance is None or self.chance.random() < 0.5:
            return dispatching.start(self.url)
        point = self.chance.choice(dispatching.FAIL_POINTS)
        return dispatching.start(self.url, f"{point}:{self.chance.randint(1, 20)}")


def run(database: Database, count: int, kills: int) -> tuple[Reconciliation, int]:
    """Send events while dispatchers are killed; what came of them, and how many dispatchers died."""
    tenant = f"c{uuid4().hex[:10]}"
    with database.system() as session:
        tenants.ensure(session, tenant)
    traffic = Traffic(Crm(database, tenant), count, SEED)
    traffic.publish()
    chance = random.Random(SEED)
    # By when how many have died, if need be by our hand.
    by_then = sorted(chance.sample(range(1, count * 3 // 4), kills))
    with Dispatchers(database, chance if kills else None) as dispatchers:

        def keep_alive() -> int:
            died = dispatchers.replace_dead()
            if died < kills and handled(database) >= by_then[died]:
                dispatchers.kill(chance.randrange(2))
            return died

        def may_go_on() -> None:
            wait_until(lambda: [keep_alive(), waiting(database) < AHEAD][1], "dispatchers", TIMEOUT)

        traffic.send(may_go_on)
        wait_until(lambda: keep_alive() >= kills and all_done(database), "the end", TIMEOUT)
    return traffic.reconcile(), dispatchers.deaths


@pytest.mark.timeout(1800)
def test_each_event_starts_what_it_should_once_whoever_is_killed(own: Database):
    result, deaths = run(own, EVENTS, KILLS)
    assert result.fits, result
    assert deaths >= KILLS


@pytest.mark.parametrize("point", dispatching.FAIL_POINTS)
def test_what_a_dispatcher_leaves_behind_at_any_point_is_done_once(own: Database, point: str):
    with own.system() as session:
        tenants.ensure(session, "alone")
    traffic = Traffic(Crm(own, "alone"), 20, SEED)
    traffic.publish()
    traffic.send(lambda: None)
    url = own.url.render_as_string(hide_password=False)
    dying = dispatching.start(url, f"{point}:1")
    dying.join(TIMEOUT)
    assert dying.exitcode == -signal.SIGKILL
    with Dispatchers(own, None):
        wait_until(lambda: all_done(own), "the end", TIMEOUT)
    assert traffic.reconcile().fits


def test_without_the_keys_of_senders_doubles_are_found(own: Database, owner_url: str):
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX inbox_once"))
    engine.dispose()
    result, _ = run(own, 200, 0)
    assert not result.fits
    assert result.doubled
    assert {workflow for workflow, _ in result.doubled} <= {"won", "hook", "every", "clock"}
    assert not result.missing
