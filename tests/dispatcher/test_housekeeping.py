"""Handled events go after a while, and nothing that is still needed goes with them."""

from __future__ import annotations

from oneo.store import event_log, executions, history, tenants
from oneo_app.dispatcher import housekeeping
from oneo_app.dispatcher.housekeeping import remove_old_events
from oneo_app.event_report import summary
from tests.dispatcher.crm import Crm


def grow_old(crm: Crm, days: int = 100) -> None:
    """Let all events have been handled that long ago."""
    with crm.database.system() as session:
        for table in ("record_events", "inbox"):
            session.connection().exec_driver_sql(
                f"UPDATE {table} SET handled_at = handled_at - make_interval(days => %s) WHERE tenant_id = %s",
                (days, crm.tenant),
            )


def kept(crm: Crm) -> list[str]:
    """Kinds and topics of the events there are, oldest first."""
    with crm.database.tenant(crm.tenant) as session:
        rows = event_log.recent(session, limit=1000)[::-1]
        return [f"{one['kind']} {one['topic']}" for one in map(summary, rows)]


def finish_all(crm: Crm) -> None:
    with crm.database.system() as session:
        for row in crm.started:
            executions.finish(session, executions.get_for_update(session, crm.tenant, row.id), "success")


def test_old_handled_events_go_and_the_record_s_history_stays(crm: Crm):
    record = crm.add(name="Ann")
    crm.emit("won")
    crm.round()
    grow_old(crm)
    crm.change(record, name="Ben")
    crm.round()
    crm.emit("waits")
    remove_old_events(crm.database)
    assert kept(crm) == ["updated leads", "app waits"]
    with crm.database.tenant(crm.tenant) as session:
        assert [one.kind for one in history.of_record(session, record.id)] == ["created", "updated"]


def test_a_tenant_may_keep_them_for_less_or_more_time(crm: Crm):
    crm.emit("won")
    crm.round()
    grow_old(crm, days=5)
    remove_old_events(crm.database)
    assert kept(crm) == ["app won"]
    with crm.database.system() as session:
        tenants.set_setting(session, crm.tenant, "event_retention_days", 4)
    remove_old_events(crm.database)
    assert kept(crm) == []


def test_what_a_gathering_or_an_open_execution_needs_stays(crm: Crm):
    crm.watch("trigger_event", event="won")
    crm.watch("trigger_record_created", "batch", batch_processing=True, batch_seconds=3600)
    crm.add()
    crm.emit("won")
    crm.emit("nobody")
    crm.round()
    grow_old(crm)
    remove_old_events(crm.database)
    assert kept(crm) == ["created leads", "app won"]
    crm.make_due()
    crm.round()
    assert [row.data.get("count") for row in crm.started] == [None, 1]
    finish_all(crm)
    remove_old_events(crm.database)
    assert kept(crm) == []


def test_what_was_set_aside_waits_for_somebody(crm: Crm):
    crm.emit("won")
    crm.round()
    with crm.database.system() as session:
        session.connection().exec_driver_sql(
            "UPDATE inbox SET problem = 'unreadable' WHERE tenant_id = %s", (crm.tenant,)
        )
    grow_old(crm)
    remove_old_events(crm.database)
    assert kept(crm) == ["app won"]


def test_a_backlog_goes_batch_by_batch(crm: Crm):
    more = housekeeping.BATCH + 1
    with crm.database.system() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO inbox (tenant_id, kind, topic, handled_at) SELECT %s, 'app', 'old', now() - interval '1 year'"
            " FROM generate_series(1, %s)",
            (crm.tenant, more),
        )
    assert remove_old_events(crm.database)
    assert len(kept(crm)) == 1
    assert not remove_old_events(crm.database)
    assert kept(crm) == []
