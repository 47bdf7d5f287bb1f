"""Sensors of hand-written DAGs: the task defers, and what it left with the triggerer fires with the event."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.store import emitting, records, tenants
from oneo_operators.event_notices import notices
from oneo_operators.sensors.event import EventSensor
from oneo_operators.sensors.record_event import RecordEventSensor
from oneo_operators.triggers_event import EventTrigger
from tests.dispatcher.crm import Crm
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.usefixtures("store")
SECONDS = 20


def deferred(sensor: Any, context: Any = None) -> Any:
    """What the sensor's task leaves behind, as a triggerer makes it from what it was told."""
    with pytest.raises(TaskDeferred) as found:
        sensor.execute(context or {})
    path, arguments = found.value.trigger.serialize()
    module, _, name = path.rpartition(".")
    trigger: EventTrigger = getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))
    return trigger


async def first(trigger: EventTrigger) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        async for fired in trigger.run():
            return fired.payload
    raise AssertionError("it ended without an event")


def told(store: Database, triggers: list[EventTrigger], then: Callable[[], None]) -> list[dict[str, Any]]:
    """What triggers fire with when something happens while they wait."""

    async def run() -> list[dict[str, Any]]:
        async with notices(store) as news:
            tasks = [asyncio.create_task(first(trigger)) for trigger in triggers]
            # From here on they are told; before that, they may still have been looking.
            await news.more_than(0, SECONDS)
            await asyncio.to_thread(then)
            return list(await asyncio.gather(*tasks))

    return asyncio.run(run())


def test_a_record_that_fits_ends_the_wait(crm: Crm, store: Database):
    old = crm.add(stage="won")
    sensor = RecordEventSensor(
        task_id="wait", pipeline="leads", kinds=["updated"], filters={"stage": "won"}, tenant=crm.tenant
    )
    trigger = deferred(sensor)

    def happens() -> None:
        crm.change(old, name="Ann", stage="open")
        other = crm.add(stage="won")
        crm.change(other, score=5)
        crm.change(old, stage="won")

    (fired,) = told(store, [trigger], happens)
    assert (fired["stage"], fired["score"], fired["event"]) == ("won", 5, "updated")
    assert fired["changed"] == ["score"]
    assert sensor.execute_complete({}, fired) == fired


def test_an_event_of_an_application_ends_the_wait(crm: Crm, store: Database):
    trigger = deferred(EventSensor(task_id="wait", name="paid", filters={"amount": 7}, tenant=crm.tenant))

    def happens() -> None:
        crm.emit("lost", {"amount": 7})
        crm.emit("paid", {"amount": 1})
        crm.emit("paid", {"amount": 7, "by": "Ann"})

    (fired,) = told(store, [trigger], happens)
    assert (fired["by"], fired["topic"]) == ("Ann", "paid")


def test_what_was_there_before_counts_only_where_it_is_asked_for(crm: Crm, store: Database):
    before = crm.emit("paid", {"n": 1})
    crm.emit("paid", {"n": 2})
    new = deferred(EventSensor(task_id="wait", name="paid", tenant=crm.tenant))
    since = deferred(EventSensor(task_id="wait", name="*", since=before, tenant=crm.tenant))
    fired = told(store, [new, since], lambda: crm.emit("paid", {"n": 3}) and None)
    assert [one["n"] for one in fired] == [3, 2]


def test_a_triggerer_that_is_started_again_has_missed_nothing(crm: Crm):
    sensor = EventSensor(task_id="wait", name="paid", tenant=crm.tenant)
    path, arguments = deferred(sensor).serialize()
    assert path == "oneo_operators.triggers_event.EventTrigger"
    crm.emit("paid", {"n": 1})
    assert asyncio.run(first(EventTrigger(**arguments)))["n"] == 1


def test_another_tenant_s_events_are_not_seen(crm: Crm, database: Database, store: Database):
    other = Crm(database, f"{crm.tenant}x")
    with database.system() as session:
        tenants.ensure(session, other.tenant)
    trigger = deferred(EventSensor(task_id="wait", name="paid", tenant=crm.tenant))

    def happens() -> None:
        other.emit("paid", {"whose": "theirs"})
        crm.emit("paid", {"whose": "mine"})

    assert told(store, [trigger], happens)[0]["whose"] == "mine"


def test_all_that_wait_share_one_connection(crm: Crm, store: Database):
    triggers = [deferred(EventSensor(task_id="wait", name="paid", tenant=crm.tenant)) for _ in range(5)]
    counted: list[int] = []

    def happens() -> None:
        counted.append(listening(store))
        crm.emit("paid", {"n": 1})

    assert len(told(store, triggers, happens)) == 5
    assert counted == [1]
    wait_until(lambda: listening(store) == 0, "the connection to be closed")


def listening(store: Database) -> int:
    with store.system() as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'oneo_listen'"
        return session.execute(text(query)).scalar_one()


def test_a_lost_connection_is_made_anew(crm: Crm, store: Database, as_owner: Any):
    trigger = deferred(EventSensor(task_id="wait", name="paid", tenant=crm.tenant))

    def happens() -> None:
        as_owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'oneo_listen'"
        )
        crm.emit("paid", {"n": 1})

    assert told(store, [trigger], happens)[0]["n"] == 1


@pytest.fixture
def open_writer(crm: Crm) -> Iterator[Callable[[], None]]:
    """A transaction that has created a record and is not committed until it is called."""
    with crm.database.tenant(crm.tenant) as session:
        records.create(session, crm.tenant, "leads", {"name": "Late"})
        yield session.commit


def test_a_lower_number_that_is_committed_later_is_not_passed_over(
    crm: Crm, store: Database, open_writer: Callable[[], None]
):
    sensor = RecordEventSensor(
        task_id="wait", pipeline="leads", filters={"name": "Late"}, tenant=crm.tenant, since=0
    )
    trigger = deferred(sensor)
    watch = trigger._watch
    for number in range(5):
        crm.add(name=f"Early {number}")
        assert watch.look(store) is None
    open_writer()
    found = watch.look(store)
    assert found is not None
    assert found.record["name"] == "Late"


def test_of_two_with_one_key_the_second_is_seen_where_the_first_is_taken_back(
    crm: Crm, store: Database, as_owner: Any
):
    trigger = deferred(EventSensor(task_id="wait", name="paid", filters={"n": 2}, tenant=crm.tenant, since=0))
    watch = trigger._watch
    kept = threading.Event()

    def emit(session: Session, n: int) -> None:
        emitting.emit(session, crm.tenant, "paid", {"n": n}, key="k")

    def second() -> None:
        with crm.database.tenant(crm.tenant) as session:
            emit(session, 2)
            assert kept.wait(SECONDS)

    def waits() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(as_owner.execute(query).fetchone()[0])

    def look() -> Any:
        crm.emit("other")
        return watch.look(store)

    with ThreadPoolExecutor() as others:
        with crm.database.tenant(crm.tenant) as session:
            emit(session, 1)
            writing = others.submit(second)
            wait_until(waits, "the second to wait for the first")
            assert look() is None
            session.rollback()
        assert [look() for _ in range(4)] == [None] * 4
        kept.set()
        writing.result(SECONDS)
    assert look().data["n"] == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: RecordEventSensor(task_id="w", pipeline="p", kinds=["changed"]),
            "'changed' does not happen",
        ),
        (lambda: RecordEventSensor(task_id="w", pipeline="p", kinds=[]), "kinds is empty"),
        (lambda: EventSensor(task_id="w", name="n", filters={"a": {"$like": 1}}), r"\$like"),
    ],
)
def test_what_cannot_be_waited_for_is_said_when_the_dag_is_read(make: Callable[[], Any], said: str):
    with pytest.raises(UserError, match=said):
        make()


def test_a_tenant_that_is_not_there_is_not_waited_for():
    with pytest.raises(NotFoundError, match="there is no tenant 'nobody'"):
        EventSensor(task_id="w", name="n", tenant="nobody").execute({})


def test_the_wait_has_an_end(crm: Crm):
    sensor = EventSensor(task_id="w", name="n", tenant=crm.tenant, timeout=60)
    with pytest.raises(TaskDeferred) as found:
        sensor.execute({})
    assert found.value.timeout is not None
    assert found.value.timeout.total_seconds() == 60
