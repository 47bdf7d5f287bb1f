"""The queue of record events: each is handed to one dispatcher, in order, with the triggers that watch it."""

from __future__ import annotations

from sqlalchemy import text

from oneo.database import Database
from oneo.store import events, records
from oneo.store.models import ActiveTrigger, RecordEvent


def of(tenant: str, found: list[RecordEvent]) -> list[RecordEvent]:
    return [event for event in found if event.tenant_id == tenant]


def test_events_are_claimed_in_order_by_one_and_handled_once(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        for name in "ab":
            records.create(session, tenant, leads, {"name": name})
    with database.system() as session:
        mine = of(tenant, events.claim_waiting(session, 10_000))
        with database.system() as other:
            assert of(tenant, events.claim_waiting(other, 10_000)) == []
        events.mark_handled(session, mine[:1])
    with database.system() as session:
        left = of(tenant, events.claim_waiting(session, 10_000))

    assert [event.after["data"]["name"] for event in mine] == ["a", "b"]
    assert [event.id for event in left] == [mine[1].id]


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
        events.mark_handled(session, mine)
    with database.system() as session:
        assert len(mine) == 5000
        assert of(tenant, events.claim_waiting(session, 100_000)) == []


def test_handling_nothing_changes_nothing(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {})
    with database.system() as session:
        events.mark_handled(session, [])
        assert len(of(tenant, events.claim_waiting(session, 10_000))) == 1


def test_triggers_watch_their_tenant_kind_and_pipelines(database: Database, tenant: str, leads: str, publish):
    publish()
    with database.tenant(tenant) as session:
        row = records.create(session, tenant, leads, {})
        records.delete(session, row)
    with database.system() as session:
        created, deleted = of(tenant, events.claim_waiting(session, 10_000))
        (trigger,) = events.triggers_for(session, [created])
        other = ActiveTrigger(tenant_id="other", event_kind="created", pipeline_ids=["*"])
        everywhere = ActiveTrigger(tenant_id=tenant, event_kind="created", pipeline_ids=["*"])
        elsewhere = ActiveTrigger(tenant_id=tenant, event_kind="created", pipeline_ids=["contacts"])
        watching = [events.watches(one, created) for one in (trigger, everywhere, other, elsewhere)]
        assert events.triggers_for(session, [deleted]) == []

    assert watching == [True, True, False, False]
    assert not events.watches(trigger, deleted)
