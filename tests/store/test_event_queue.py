"""The queue of events: changes of records and the inbox, each handed to one dispatcher, in the order they came."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from oneo.database import Database
from oneo.events import Event
from oneo.store import emitting, events, inbox, records
from oneo.store.models import InboxEvent

pytestmark = pytest.mark.usefixtures("quiet_queue")


def of(tenant: str, found: list[Event]) -> list[Event]:
    return [event for event in found if event.tenant_id == tenant]


def test_events_are_claimed_in_order_by_one_and_handled_once(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        for name in "ab":
            records.create(session, tenant, leads, {"name": name})
            emitting.emit(session, tenant, "seen", {"name": name})
    with database.system() as session:
        mine = of(tenant, events.claim_waiting(session, 10_000))
        with database.system() as other:
            assert of(tenant, events.claim_waiting(other, 10_000)) == []
        events.mark_handled(session, mine[:2], {mine[1].id: {"w/start": {"outcome": "started"}}})
    with database.system() as session:
        left = of(tenant, events.claim_waiting(session, 10_000))
    with database.tenant(tenant) as session:
        kept = session.get_one(InboxEvent, (tenant, mine[1].id)).decisions

    assert [(event.kind, event.topic) for event in mine] == [("created", "leads"), ("app", "seen")] * 2
    assert [(event.record or event.data)["name"] for event in mine] == ["a", "a", "b", "b"]
    assert [event.id for event in left] == [event.id for event in mine[2:]]
    assert kept == {"w/start": {"outcome": "started"}}


def test_thousands_of_events_are_handled_at_once(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        session.execute(
            text(
                "INSERT INTO record_events (tenant_id, pipeline_id, record_id, kind)"
                " SELECT :tenant, :pipeline, gen_random_uuid(), 'created' FROM generate_series(1, 5000)"
            ),
            {"tenant": tenant, "pipeline": leads},
        )
    with database.system() as session:
        mine = of(tenant, events.claim_waiting(session, 100_000))
        events.mark_handled(session, mine, {})
    with database.system() as session:
        assert len(mine) == 5000
        assert of(tenant, events.claim_waiting(session, 100_000)) == []


def test_handling_nothing_changes_nothing(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {})
    with database.system() as session:
        events.mark_handled(session, [], {})
        assert len(of(tenant, events.claim_waiting(session, 10_000))) == 1


def test_an_event_that_comes_twice_is_one(database: Database, tenant: str):
    with database.tenant(tenant) as session:
        first = inbox.put(session, tenant, "webhook", "orders", {"n": 1}, key="m1")
        again = inbox.put(session, tenant, "webhook", "orders", {"n": 2}, key="m1")
        elsewhere = inbox.put(session, tenant, "webhook", "invoices", {"n": 3}, key="m1")
        nameless = [inbox.put(session, tenant, "webhook", "orders", {}) for _ in range(2)]
        kept = session.scalars(select(InboxEvent.data).where(InboxEvent.key == "m1").order_by(InboxEvent.id))

        assert again is None
        assert len({first, elsewhere, *nameless}) == 4
        assert list(kept) == [{"n": 1}, {"n": 3}]


def test_what_is_set_aside_is_the_oldest_of_either_kind(database: Database, tenant: str, leads: str):
    with database.system() as session:
        earlier = events.claim_waiting(session, 10_000)
        events.mark_handled(session, earlier, {})
    with database.tenant(tenant) as session:
        emitting.emit(session, tenant, "first", {})
        records.create(session, tenant, leads, {})
    with database.system() as session:
        set_aside = events.set_next_aside(session, "it cannot be read")
        (left,) = of(tenant, events.claim_waiting(session, 10_000))
    with database.tenant(tenant) as session:
        row = session.get_one(InboxEvent, (tenant, set_aside))

    assert (row.topic, row.problem) == ("first", "it cannot be read")
    assert left.kind == "created"


def test_events_of_both_kinds_are_found_by_their_numbers(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {"name": "a"})
        emitted = emitting.emit(session, tenant, "seen", {})
    assert emitted is not None
    with database.system() as session:
        found = events.with_ids(session, tenant, [emitted, emitted - 1, emitted + 1000])
        others = events.with_ids(session, f"x{uuid4().hex}", [emitted])

    assert [event.kind for event in found] == ["created", "app"]
    assert others == []


def test_other_programs_emit_with_plain_sql(database: Database, database_url: str, tenant: str):
    dsn = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(dsn, options="-c role=oneo_app") as plain:
        call = "SELECT oneo_emit(%s, 'lead_qualified', '{\"score\": 80}', 'k1')"
        plain.execute("SELECT set_config('oneo.tenant', %s, true)", (tenant,))
        first = plain.execute(call, (tenant,)).fetchone()
        again = plain.execute(call, (tenant,)).fetchone()
    with database.system() as session:
        (event,) = of(tenant, events.claim_waiting(session, 10_000))

    assert first == (event.id,)
    assert again == (None,)
    assert (event.kind, event.topic, event.data) == ("app", "lead_qualified", {"score": 80})
