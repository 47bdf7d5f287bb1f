"""trigger_date_reached: from a date in a record to the execution that it starts, on a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dag_factory.catalogue import Watch
from oneo.store import records
from oneo_operators.nodes.triggers.trigger_date_reached import TriggerDateReachedOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_date_reached"]
# Far behind the real clock, whose times only changes of records carry.
DAY = datetime(2090, 6, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def starts(crm: Crm) -> list[str]:
    return [row.data["due_at"] for row in crm.started]


def at_the_moment(crm: Crm, moment: datetime) -> list[int]:
    """How many executions there are just before and at a moment, and later."""
    counts = []
    for now in (moment - SECOND, moment, moment + timedelta(days=40)):
        crm.round(now)
        counts.append(len(crm.started))
    return counts


def test_the_example(bench: Bench, crm: Crm) -> None:
    assert bench.problems("trigger_date_reached", EXAMPLE) == []
    wanted = Watch(("created", "updated", "deleted", "restored"), ("*",), existing=True)
    assert TriggerDateReachedOperator.watch(EXAMPLE) == wanted
    crm.watch("trigger_date_reached", **EXAMPLE)
    # 30 days before is Saturday 15 July: the Friday before it counts.
    record = crm.add(name="Acme", contract_expiry="2090-08-14")
    crm.round()
    assert crm.decision() == {"outcome": "armed", "reason": "it looks again at 2090-07-14T09:00:00+00:00"}
    crm.change(record, contract_expiry="2090-08-14T18:00:00")
    crm.round()
    assert at_the_moment(crm, datetime(2090, 7, 14, 9, tzinfo=UTC)) == [0, 1, 1]
    (row,) = crm.started
    assert row.record_id == record.id
    assert row.data["name"] == "Acme"
    assert {name: row.data[name] for name in ("event", "date_field", "date", "due_at", "record_id")} == {
        "event": "date_reached",
        "date_field": "contract_expiry",
        "date": "2090-08-14T18:00:00",
        "due_at": "2090-07-14T09:00:00+00:00",
        "record_id": str(record.id),
    }


def test_a_changed_date_counts_and_the_old_one_does_not(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="due")
    record = crm.add(due="2090-06-14")
    crm.round()
    crm.change(record, due="2090-07-14")
    crm.round(DAY + timedelta(days=1))
    assert starts(crm) == []
    crm.round(datetime(2090, 7, 14, tzinfo=UTC))
    assert starts(crm) == ["2090-07-14T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"due": None}, "due is empty"),
        ({"due": ""}, "due is empty"),
        ({"due": "soon"}, "due 'soon' is no date"),
        ({"status": "closed"}, "the record does not fit the filter status $eq 'open'"),
        (
            {"due": "2001-01-01"},
            "due 2001-01-01 was due at 2001-01-01T00:00:00+00:00, longer ago than grace_hours",
        ),
    ],
)
def test_what_takes_the_moment_back(crm: Crm, change: dict[str, Any], reason: str) -> None:
    crm.watch("trigger_date_reached", date_field="due", field_filters={"status": "open"})
    record = crm.add(due="2090-06-14", status="open")
    crm.round()
    crm.change(record, **change)
    crm.round()
    assert crm.decision() == {"outcome": "disarmed", "reason": reason}
    crm.round(DAY)
    assert crm.started == []


def test_a_deleted_record_has_no_dates_until_it_is_restored(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="due")
    record = crm.add(due="2090-06-14")
    crm.round()
    crm.delete(record)
    crm.round(DAY - timedelta(days=1))
    assert crm.decision() == {"outcome": "disarmed", "reason": "the record was deleted"}
    crm.restore(record)
    crm.round(DAY)
    assert len(crm.started) == 1


def test_records_that_were_there_before_the_workflow(crm: Crm) -> None:
    crm.pipeline("deals")
    for due in ("2090-06-13T00:00:00Z", "2090-06-12T23:59:59Z", "2090-06-14T12:00:00Z", None):
        crm.add(due=due)
    crm.add("deals", due="2090-06-14T12:00:00Z")
    crm.round()
    crm.watch("trigger_date_reached", date_field="due", pipeline_ids=["leads"])
    crm.round(DAY)
    # Less than a day ago still counts.
    assert starts(crm) == ["2090-06-13T00:00:00+00:00"]
    crm.round(DAY + timedelta(hours=12))
    assert starts(crm)[1:] == ["2090-06-14T12:00:00+00:00"]


def test_without_grace_only_what_is_still_to_come(crm: Crm) -> None:
    crm.add(due="2090-06-13T23:59:59Z")
    crm.round()
    crm.watch("trigger_date_reached", date_field="due", grace_hours=0)
    crm.round(DAY)
    assert crm.started == []


def test_publishing_again_starts_nothing_a_second_time(crm: Crm) -> None:
    crm.add(due="2090-06-14")
    crm.round()
    for _ in range(3):
        crm.watch("trigger_date_reached", date_field="due")
        crm.round(DAY)
    assert len(crm.started) == 1
    crm.withdraw()
    crm.watch("trigger_date_reached", date_field="due", time_of_day="01:00")
    crm.round(DAY + timedelta(hours=2))
    assert starts(crm) == ["2090-06-14T00:00:00+00:00", "2090-06-14T01:00:00+00:00"]


def test_a_withdrawn_workflow_waits_for_nothing(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="due")
    crm.add(due="2090-06-14")
    crm.round()
    crm.withdraw()
    crm.round(DAY)
    crm.watch("trigger_date_reached", date_field="due", grace_hours=0)
    crm.round(DAY + SECOND)
    assert crm.started == []


def test_a_birthday_comes_every_year(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="born", yearly=True, time_of_day="09:00")
    record = crm.add(born="1996-02-29")
    crm.round()
    crm.round(datetime(2091, 1, 1, tzinfo=UTC))
    before = len(crm.started)
    for year in (2091, 2092):
        crm.round(datetime(year, 2, 28, 8, 59, tzinfo=UTC))
        crm.round(datetime(year, 2, 29 if year == 2092 else 28, 9, tzinfo=UTC))
        # A change on the day itself neither repeats it nor forgets the next.
        crm.change(record, note=f"congratulated {year}")
        crm.round(datetime(year, 3, 2, tzinfo=UTC))
    assert starts(crm)[before:] == ["2091-02-28T09:00:00+00:00", "2092-02-29T09:00:00+00:00"]


@pytest.mark.parametrize(
    ("zone", "date", "clock", "moment"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30:00+00:00"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30:00+00:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00+00:00"),
    ],
)
def test_the_night_the_clocks_change(crm: Crm, zone: str, date: str, clock: str, moment: str) -> None:
    crm.add(due=date)
    crm.round()
    crm.watch("trigger_date_reached", date_field="due", time_of_day=clock, timezone=zone)
    due = datetime.fromisoformat(moment)
    crm.round(due - timedelta(days=20))
    assert at_the_moment(crm, due) == [0, 1, 1]


def test_what_comes_due_while_the_dispatcher_is_down_starts_when_it_is_back(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="due", grace_hours=0)
    crm.add(due="2090-06-14")
    crm.round()
    crm.round(DAY + timedelta(days=40))
    assert starts(crm) == ["2090-06-14T00:00:00+00:00"]


def test_a_record_that_has_left_the_pipeline(crm: Crm) -> None:
    crm.pipeline("archive")
    crm.watch("trigger_date_reached", date_field="due", pipeline_ids=["leads"])
    record = crm.add(due="2090-06-14")
    crm.round()
    with crm.database.tenant(crm.tenant) as session:
        records.get(session, record.id, lock=True).pipeline_id = "archive"
    crm.round(DAY)
    assert crm.started == []
    assert crm.decision()["reason"] == "the record is in pipeline 'archive', which is not watched"


def test_a_moment_that_comes_while_a_change_waits_is_put_off_by_it(crm: Crm) -> None:
    crm.watch("trigger_date_reached", date_field="due")
    record = crm.add(due="2090-06-14")
    crm.round()
    with crm.database.tenant(crm.tenant) as session:
        row = records.get(session, record.id, lock=True)
        records.update(session, row, records.Changes(set={"due": "2090-06-15"}))
    crm.round(DAY)
    assert crm.started == []
    crm.round(DAY + timedelta(days=1))
    assert starts(crm) == ["2090-06-15T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "option 'date_field' of trigger_date_reached is missing"),
        ({"date_field": "$due"}, "date_field '$due' is not a field name"),
        (
            {"date_field": "due", "days_before": 1, "days_after": 1},
            "days_before and days_after cannot both be given",
        ),
        (
            {"date_field": "due", "time_of_day": "9am"},
            "'9am' is no time of day; write hours and minutes, e.g. 09:00",
        ),
        ({"date_field": "due", "timezone": "Mars"}, "'Mars' is no time zone"),
        (
            {"date_field": "due", "holidays": "Bavaria"},
            "holidays of 'Bavaria' are not known; write a country's code",
        ),
        ({"date_field": "due", "holidays": "DE", "holidays_subdivision": "XX"}, "'XX' is no part of DE"),
        ({"date_field": "due", "holidays_subdivision": "BY"}, "needs the country in holidays"),
        ({"date_field": "due", "when_skipped": "never"}, "'before', 'after' or 'skip'"),
    ],
)
def test_what_is_no_date_to_reach(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in "\n".join(bench.problems("trigger_date_reached", config))
