"""Moments that triggers wait for: each comes once, whatever happens around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import func, select

from oneo.events import TIMER
from oneo.store import timers
from oneo.store.models import InboxEvent, Timer
from oneo_app.dispatcher.waiting import fire_timers
from tests.dispatcher.crm import Crm

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fired(crm: Crm) -> list[InboxEvent]:
    with crm.database.tenant(crm.tenant) as session:
        return list(
            session.scalars(select(InboxEvent).where(InboxEvent.kind == TIMER).order_by(InboxEvent.id))
        )


def arm(crm: Crm, key: str, due: datetime, **options: object) -> None:
    with crm.database.system() as session:
        timers.arm(session, crm.tenant, "watch", "start", key, due, **options)  # type: ignore[arg-type]


def test_a_moment_that_has_come_is_an_event_once(crm: Crm):
    crm.watch("trigger_record_created")
    record = crm.add(name="Ann")
    arm(crm, "a", NOW, record_id=record.id)
    arm(crm, "b", NOW + timedelta(days=365 * 100))
    assert [fire_timers(crm.database, NOW - timedelta(seconds=1)), fire_timers(crm.database, NOW)] == [0, 1]
    assert fire_timers(crm.database, NOW) == 0
    (row,) = fired(crm)
    assert (row.topic, row.record_id, row.data["oneo_record"]["name"]) == ("watch/start", record.id, "Ann")


def test_a_later_moment_replaces_an_earlier_one(crm: Crm):
    crm.watch("trigger_record_created")
    arm(crm, "a", NOW)
    arm(crm, "a", NOW + timedelta(days=1))
    assert fire_timers(crm.database, NOW) == 0
    with crm.database.system() as session:
        gone = [timers.disarm(session, crm.tenant, "watch", "start", "a") for _ in range(2)]
        left = session.scalar(select(func.count()).select_from(Timer).where(Timer.tenant_id == crm.tenant))
    assert (gone, left) == ([True, False], 0)


def test_of_two_moments_the_later_one_stays_where_that_is_asked(crm: Crm):
    crm.watch("trigger_record_created")
    for days in (1, 0, 2):
        arm(crm, "a", NOW + timedelta(days=days), latest=True)
        assert fire_timers(crm.database, NOW) == 0
    assert [fire_timers(crm.database, NOW + timedelta(days=days)) for days in (1, 2)] == [0, 1]


def test_a_moment_that_has_come_does_not_come_again_nor_replace_another(crm: Crm):
    crm.watch("trigger_record_created")
    arm(crm, "a", NOW)
    fire_timers(crm.database, NOW)
    arm(crm, "a", NOW + timedelta(days=1))
    arm(crm, "a", NOW.astimezone(timezone(timedelta(hours=2))))
    assert fire_timers(crm.database, NOW) == 0
    assert fire_timers(crm.database, NOW + timedelta(days=1)) == 1


def test_a_moment_waits_for_what_happened_before_it(crm: Crm):
    crm.watch("trigger_record_created")
    crm.push(temperature=20)
    arm(crm, "a", NOW + timedelta(days=365 * 60), series="boiler-7")
    later = NOW + timedelta(days=365 * 61)
    assert fire_timers(crm.database, later) == 0
    crm.match()
    assert fire_timers(crm.database, later) == 1
    assert fired(crm)[0].data["after"] == {"temperature": 20}


def test_of_a_deleted_record_nothing_goes_with_the_moment(crm: Crm):
    crm.watch("trigger_record_created")
    record = crm.add(name="Ann")
    arm(crm, "a", NOW, record_id=record.id)
    crm.delete(record)
    fire_timers(crm.database, NOW)
    assert "oneo_record" not in fired(crm)[0].data
