"""Every accepted event starts exactly what it should, once, whenever dispatchers are killed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from oneo.database import Database, migrate
from oneo.store import tenants
from tests.dispatcher.crm import Crm
from tests.e2e import dispatching
from tests.e2e.traffic import Reconciliation, Traffic, all_done, handled
from tests.e2e.waiting import wait_until
from tests.store.conftest import owner_url

__all__ = ["owner_url"]

# `make chaos` asks for more.
EVENTS = int(os.environ.get("ONEO_CHAOS_EVENTS", "300"))
KILLS = int(os.environ.get("ONEO_CHAOS_KILLS", "4"))
SEED = int(os.environ.get("ONEO_CHAOS_SEED", "1"))
# How far senders may be ahead: dispatchers are to be killed while events come in.
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
    """Two dispatcher processes; whichever dies is replaced."""

    def __init__(self, database: Database, fail_points: list[str]) -> None:
        self.url = database.url.render_as_string(hide_password=False)
        self.fail_points = fail_points
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

    def replace_dead(self) -> int:
        """Start a new one for each that has died; returns how many have died so far."""
        for place, one in enumerate(self.running):
            if not one.is_alive():
                one.join()
                self.deaths += 1
                self.running[place] = self._start()
        return self.deaths

    def _start(self) -> BaseProcess:
        return dispatching.start(self.url, self.fail_points.pop() if self.fail_points else None)


def run(database: Database, count: int, kills: int) -> tuple[Reconciliation, int]:
    """Send events while dispatchers are killed; what came of them, and how many dispatchers died."""
    tenant = f"c{uuid4().hex[:10]}"
    with database.system() as session:
        tenants.ensure(session, tenant)
    traffic = Traffic(Crm(database, tenant), count, SEED)
    traffic.publish()
    chance = random.Random(SEED)
    # Every second death is one at a point of its own choosing.
    points = [f"{dispatching.FAIL_POINTS[turn % 3]}:{chance.randint(1, 6)}" for turn in range(kills // 2)]
    by_hand = kills - len(points)
    progress = sorted(chance.sample(range(1, count * 3 // 4), by_hand))
    with Dispatchers(database, points) as dispatchers:

        def keep_alive() -> None:
            dispatchers.replace_dead()
            if progress and handled(database) >= progress[0]:
                progress.pop(0)
                dispatchers.kill(chance.randrange(2))

        def may_go_on(sent: int) -> None:
            wait_until(lambda: [keep_alive(), handled(database) + AHEAD >= sent][1], "dispatchers", TIMEOUT)

        traffic.send(may_go_on)
        wait_until(lambda: [keep_alive(), all_done(database) and not progress][1], "the end", TIMEOUT)
        deaths = dispatchers.replace_dead()
    return traffic.reconcile(), deaths


@pytest.mark.timeout(1800)
def test_each_event_starts_what_it_should_once_whoever_is_killed(own: Database):
    result, deaths = run(own, EVENTS, KILLS)
    assert result.fits, result
    assert deaths >= KILLS


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
