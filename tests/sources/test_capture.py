"""Changes of a table, whoever makes them, are record events: each once, in order, with before and after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from dag_factory.examine import plan_of
from dag_factory.publish import publish
from oneo.database import Database
from oneo.errors import UserError
from oneo.sql_table import capture, polling
from oneo.sql_table.layout import Layout
from oneo.sql_table.polling import poll
from oneo.sql_table.reading import read
from oneo.store import erasure, events, executions, timers
from oneo.store.models import InboxEvent, RecordEvent, SourceRow
from oneo.store.table_source import record_id
from oneo_app.dispatcher.matching import match_events
from oneo_operators.execution import state_of
from tests.nodes.bench import Bench
from tests.sources.companies import TableCompanies

_PAST = datetime(2026, 1, 31, 9, tzinfo=UTC)


class Captured:
    """A captured table, and what its reader makes of it."""

    def __init__(self, companies: TableCompanies, how: str, bench: Bench | None = None) -> None:
        self.companies = companies
        self.bench = bench or companies.bench
        companies.apply(self.bench, capture=how)
        self.layout: Layout = companies.connect(self.bench)
        self.how = how
        self.take()

    def take(self) -> int:
        there = self.companies.database(self.bench)
        about = (self.bench.database, there, self.bench.tenant, self.layout)
        if self.how == "polling":
            return poll(*about)
        count = 0
        while (found := read(*about)) is not None:
            count += found
        return count

    def events(self) -> list[RecordEvent]:
        self.take()
        with self.bench.database.tenant(self.bench.tenant) as session:
            return list(session.scalars(select(RecordEvent).order_by(RecordEvent.id)))

    def kinds(self) -> list[str]:
        return [one.kind for one in self.events()]


@pytest.fixture(params=["trigger", "polling"])
def captured(request: pytest.FixtureRequest, table: TableCompanies) -> Captured:
    return Captured(table, request.param)


@pytest.fixture
def noted(table: TableCompanies) -> Captured:
    return Captured(table, "trigger")


@pytest.fixture
def polled(table: TableCompanies) -> Captured:
    return Captured(table, "polling")


TOUCH = ", changed = clock_timestamp() WHERE id = %s"


def test_each_change_is_one_event(captured: Captured) -> None:
    table = captured.companies
    key = table.add(
        name="Anna", visits=1, stage="lead", address={"city": "Bonn"}, joined="2026-01-31T10:00+01"
    )
    assert captured.kinds() == ["created"]
    table.execute("UPDATE {} SET visits = 2, phase = 'customer'" + TOUCH, key)
    table.execute("UPDATE {} SET password_hash = 'x' WHERE id = %s", key)
    assert captured.kinds() == ["created", "updated"]
    table.execute("UPDATE {} SET gone = now()" + TOUCH, key)
    assert captured.kinds()[2:] == ["deleted"]
    table.execute("UPDATE {} SET gone = NULL" + TOUCH, key)
    assert captured.kinds()[3:] == ["restored"]
    table.execute("DELETE FROM {} WHERE id = %s", key)
    found = captured.events()
    assert [one.kind for one in found[4:]] == ["deleted"]
    assert captured.take() == 0
    created, updated, *_ = map(events.as_event, found)
    assert (created.record["name"], created.record["id"], created.before) == ("Anna", key, None)
    assert created.record["joined"] == "2026-01-31T09:00:00+00:00"
    assert set(updated.changed) == {"visits", "stage"}
    assert updated.before is not None
    assert (updated.before["visits"], updated.record["visits"], updated.record["stage"]) == (1, 2, "customer")
    assert updated.topic == "companies"
    assert updated.record_id == record_id(captured.bench.tenant, "companies", key)
    assert updated.trigger_data()["record_id"] == key
    assert "password_hash" not in updated.record


def test_what_was_there_before_is_nothing_new(table: TableCompanies) -> None:
    key = table.add(name="Anna")
    for how in ("trigger", "polling"):
        assert Captured(table, how).kinds() == []
    captured = Captured(table, "polling")
    table.execute("UPDATE {} SET visits = 2" + TOUCH, key)
    [event] = captured.events()
    assert (event.kind, event.changed) == ("updated", ["visits"])


def test_a_row_with_another_key_is_another_record(captured: Captured) -> None:
    key = captured.companies.add(name="Anna")
    captured.take()
    captured.companies.execute("UPDATE {} SET id = id + 1000000" + TOUCH, key)
    assert sorted(captured.kinds()[1:]) == ["created", "deleted"]


def test_changes_by_nodes_know_their_execution(captured: Captured) -> None:
    config = {"pipeline_id": "companies", "record_data": {"name": "Anna"}}
    ran = captured.bench.node("create_record", config)
    about = {"pipeline_id": "companies", "record_id": ran.output["record_id"]}
    captured.take()
    changed = captured.bench.node("update_record", {**about, "increment_fields": {"visits": 1}})
    captured.take()
    gone = captured.bench.node("delete_record", {**about, "soft_delete": False})
    assert [(one.kind, str(one.execution_id)) for one in captured.events()] == [
        ("created", ran.execution),
        ("updated", changed.execution),
        ("deleted", gone.execution),
    ]


def test_a_change_after_that_of_a_node_is_not_the_nodes(captured: Captured) -> None:
    config = {"pipeline_id": "companies", "record_data": {"name": "Anna"}}
    key = captured.bench.node("create_record", config).output["record_id"]
    captured.take()
    captured.companies.execute("UPDATE {} SET visits = 2" + TOUCH, key)
    assert [one.execution_id is None for one in captured.events()] == [False, True]


def test_an_open_transaction_is_read_when_it_has_ended(captured: Captured, crm_url: Any) -> None:
    key = captured.companies.add(name="Anna")
    assert captured.kinds() == ["created"]
    dsn = crm_url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(dsn) as slow:
        slow.execute(
            psycopg.sql.SQL("UPDATE {} SET visits = 1, changed = clock_timestamp()").format(
                captured.companies.table
            )
        )
        captured.companies.add(name="Bert")
        assert captured.kinds() == ["created", "created"]
        slow.commit()
    assert captured.kinds() == ["created", "created", "updated"]
    assert captured.events()[-1].record_id == record_id(captured.bench.tenant, "companies", key)


def test_what_is_rolled_back_is_no_change(noted: Captured, crm: psycopg.Connection) -> None:
    with crm.transaction(force_rollback=True):
        noted.companies.add(name="Anna")
    assert noted.kinds() == []


def test_many_changes_keep_their_order(noted: Captured) -> None:
    key = noted.companies.add(name="Anna", visits=0)
    for _ in range(1200):
        noted.companies.execute("UPDATE {} SET visits = visits + 1 WHERE id = %s", key)
    seen = [events.as_event(one).record["visits"] for one in noted.events()]
    assert seen == list(range(1201))
    left = "SELECT count(*) FROM oneo_capture.change WHERE reader = %s"
    assert noted.companies.crm.execute(left, [f"{noted.bench.tenant}/companies"]).fetchone() == (0,)


def test_a_reader_that_ends_anywhere_loses_and_doubles_nothing(
    noted: Captured, database: Database, as_owner: psycopg.Connection
) -> None:
    """Ended before its commit here, and after it but before the changes are gone there."""
    tenant = noted.bench.tenant
    noted.companies.add(name="Anna")
    as_owner.execute(
        "CREATE FUNCTION end_reader() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
    )
    as_owner.execute(
        "CREATE CONSTRAINT TRIGGER end_reader AFTER INSERT ON record_events DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW WHEN (NEW.tenant_id = '{tenant}') EXECUTE FUNCTION end_reader()"
    )
    try:
        with pytest.raises(Exception, match="terminating connection"):
            noted.take()
    finally:
        as_owner.execute("DROP TRIGGER end_reader ON record_events")
        as_owner.execute("DROP FUNCTION end_reader")
    assert noted.kinds() == ["created"]
    noted.companies.add(name="Bert")
    about = (database, noted.companies.database(), tenant, noted.layout)
    assert read(*about) == 1
    # The reader ends here: what it has read is still in the table of changes.
    kept = noted.companies.crm.execute(
        "SELECT count(*) FROM oneo_capture.change WHERE reader LIKE %s", [f"{tenant}/%"]
    )
    assert kept.fetchone() == (1,)
    noted.companies.add(name="Carl")
    assert noted.kinds() == ["created"] * 3


def test_readers_side_by_side_read_each_change_once(noted: Captured) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(60):
        noted.companies.add(name=f"n{number}")
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: noted.take(), range(4))) == 60
    assert noted.kinds() == ["created"] * 60


def test_a_late_commit_with_an_early_time_is_seen(polled: Captured) -> None:
    table = polled.companies
    table.add(name="Anna")
    assert polled.kinds() == ["created"]
    table.execute(
        "INSERT INTO {} (company_name, changed) VALUES ('Bert', clock_timestamp() - interval '2 minutes')"
    )
    assert polled.kinds() == ["created", "created"]
    assert timedelta(minutes=2) < polling.OVERLAP


def test_a_stage_change_starts_a_workflow_once(captured: Captured, quiet_queue: None) -> None:
    """From plain SQL to the execution, which reads the row as it is by then and changes it."""
    bench = captured.bench
    start = {"pipeline_id": "companies", "to_stages": ["customer"]}
    document = {
        "id": "won",
        "name": "Won",
        "nodes": [
            {"id": "start", "type": "trigger_pipeline_stage_changed", "config": start},
            {
                "id": "up",
                "type": "update_record",
                "config": {"update_fields": {"status": "{{ record.name }}!"}},
            },
        ],
    }
    publish(bench.database, bench.tenant, document, bench.catalogue)
    key = captured.companies.add(name="Anna", stage="lead")
    captured.take()
    captured.companies.execute("UPDATE {} SET phase = 'customer'" + TOUCH, key)
    captured.companies.execute("UPDATE {} SET company_name = 'Bert'" + TOUCH, key)
    for _ in range(3):
        captured.take()
        while match_events(bench.database):
            pass
    with bench.database.tenant(bench.tenant) as session:
        [execution] = executions.recent(session, workflow_id="won")
        assert execution.data["record_id"] == key
        assert execution.record_id == record_id(bench.tenant, "companies", key)
        state = state_of(session, execution, plan_of(document, bench.catalogue))
    assert bench.finish(state)["status"] == "success"
    assert (captured.companies.get(key) or {})["status"] == "Bert!"
    # The execution's own change is no stage change.
    captured.take()
    while match_events(bench.database):
        pass
    with bench.database.tenant(bench.tenant) as session:
        assert len(executions.recent(session, workflow_id="won")) == 1


def test_a_table_that_is_not_set_up_says_so(table: TableCompanies) -> None:
    table.crm.execute("DROP SCHEMA IF EXISTS oneo_capture CASCADE")
    spec = table.apply(capture="trigger")
    with pytest.raises(UserError, match="oneo pipelines connect companies"):
        read(table.bench.database, table.database(), table.bench.tenant, Layout(spec))


def test_setting_up_again_changes_nothing_and_the_trigger_can_go(noted: Captured, crm_url: Any) -> None:
    tenant, layout = noted.bench.tenant, noted.layout
    noted.companies.connect()
    with noted.companies.database().transaction(tenant) as there:
        assert capture.is_captured(there, tenant, layout)
    noted.companies.add(name="Anna")
    assert noted.kinds() == ["created"]
    with noted.companies.database().transaction(tenant) as there:
        capture.run(there, capture.removal(tenant, layout), "the CRM")
    noted.companies.add(name="Bert")
    assert noted.kinds() == ["created"]
    with noted.companies.database().transaction(tenant) as there:
        assert not capture.is_captured(there, tenant, layout)


def test_an_application_without_rights_there_is_captured_too(noted: Captured) -> None:
    crm = noted.companies.crm
    crm.execute("DROP ROLE IF EXISTS shop_app")
    crm.execute("CREATE ROLE shop_app")
    crm.execute("GRANT shop_app TO CURRENT_USER")
    noted.companies.execute("GRANT ALL ON {} TO shop_app")
    crm.execute("SET ROLE shop_app")
    try:
        noted.companies.add(name="Anna")
    finally:
        crm.execute("RESET ROLE")
    assert noted.kinds() == ["created"]
    noted.companies.execute("REVOKE ALL ON {} FROM shop_app")
    crm.execute("DROP ROLE shop_app")


def test_two_tenants_read_their_own(table: TableCompanies, other: Callable[[], Bench]) -> None:
    """Of one table, each has its own events; of another tenant's, none."""
    mine = Captured(table, "trigger")
    theirs = Captured(table, "trigger", other())
    key = table.add(name="Anna")
    assert mine.kinds() == ["created"]
    assert theirs.kinds() == ["created"]
    [one], [two] = mine.events(), theirs.events()
    assert one.record_id != two.record_id
    assert {one.tenant_id, two.tenant_id} == {mine.bench.tenant, theirs.bench.tenant}
    ran = theirs.bench.node(
        "update_record", {"pipeline_id": "companies", "record_id": key, "update_fields": {"name": "B"}}
    )
    assert str(theirs.events()[-1].execution_id) == ran.execution
    # An execution of another tenant's is nobody's here.
    assert mine.events()[-1].execution_id is None


def test_a_moment_looks_at_the_row_as_its_last_event_left_it(noted: Captured) -> None:
    key = noted.companies.add(name="Anna", joined="2026-01-31T09:00:00+00:00")
    noted.companies.execute("UPDATE {} SET visits = 7 WHERE id = %s", key)
    gone = noted.companies.add(name="Bert")
    noted.companies.execute("DELETE FROM {} WHERE id = %s", gone)
    noted.take()
    tenant = noted.bench.tenant
    document = {
        "id": "birthday",
        "name": "Birthday",
        "nodes": [{"id": "start", "type": "trigger_date_reached", "config": {"date_field": "joined"}}],
    }
    publish(noted.bench.database, tenant, document, noted.bench.catalogue)
    with noted.bench.database.system() as session:
        for number, one in enumerate((key, gone)):
            about = record_id(tenant, "companies", one)
            timers.arm(session, tenant, "birthday", "start", str(number), _PAST, about)
        session.execute(
            text("UPDATE record_events SET handled_at = now() WHERE tenant_id = :t"), {"t": tenant}
        )
        while timers.fire_due(session, 100):
            pass
    with noted.bench.database.tenant(tenant) as session:
        found = session.scalars(select(InboxEvent).order_by(InboxEvent.id)).all()
        seen = [events.as_event(one).record for one in found]
    assert [(one.get("id"), one.get("visits")) for one in seen] == [(key, 7), (None, None)]


def test_an_address_is_taken_out_of_what_polling_keeps(polled: Captured) -> None:
    polled.companies.add(name="Anna", email="anna.lee@example.com", status="writes to anna.lee@example.com")
    polled.take()
    with polled.bench.database.removal(polled.bench.tenant) as session:
        counts = erasure.erase(session, "anna.lee@example.com").counts
    assert (counts["table_rows_mentioning"], counts["record_events_mentioning"]) == (1, 1)
    with polled.bench.database.tenant(polled.bench.tenant) as session:
        kept = str([row.image for row in session.scalars(select(SourceRow))])
    assert "anna.lee" not in kept
