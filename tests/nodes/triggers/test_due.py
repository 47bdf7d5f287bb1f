"""When a date is due: zones, the change to summer time and back, weekends, holidays, anniversaries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oneo_operators.nodes.triggers._due import DueConfig, due_at


def due(value: Any, since: str | None = None, **options: Any) -> str | None:
    """The moment as the zone's clock shows it, with the distance to UTC."""
    config = DueConfig(**options)
    found = due_at(config, value, datetime.fromisoformat(since) if since else None)
    if found is None:
        return None
    assert found.tzinfo is UTC
    return found.astimezone(config.zone).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("2026-05-01", {}, "2026-05-01T00:00+00:00"),
        (date(2026, 5, 1), {"time_of_day": "09:00"}, "2026-05-01T09:00+00:00"),
        ("2026-05-01", {"timezone": "Europe/Berlin"}, "2026-05-01T00:00+02:00"),
        ("2026-05-01", {"days_before": 30}, "2026-04-01T00:00+00:00"),
        ("2026-05-01", {"days_after": 31}, "2026-06-01T00:00+00:00"),
        ("2026-05-01T14:30", {"timezone": "Europe/Berlin"}, "2026-05-01T14:30+02:00"),
        ("2026-05-01 14:30", {"days_before": 1}, "2026-04-30T14:30+00:00"),
        ("2026-05-01T23:30:00-04:00", {"timezone": "Europe/Berlin"}, "2026-05-02T05:30+02:00"),
        (
            "2026-05-01T23:30:00Z",
            {"timezone": "Europe/Berlin", "time_of_day": "09:00"},
            "2026-05-02T09:00+02:00",
        ),
        (datetime(2026, 5, 1, 14, 30, tzinfo=UTC), {}, "2026-05-01T14:30+00:00"),
    ],
)
def test_dates_and_times_with_and_without_a_zone(value: Any, options: dict[str, Any], expected: str) -> None:
    assert due(value, **options) == expected


@pytest.mark.parametrize(
    "value", [None, "", "soon", "2026-02-30", 20260501, True, [], {"a": 1}, "0001-01-01"]
)
def test_what_is_no_date(value: Any) -> None:
    assert due(value, days_before=1) is None


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        # What the change to summer time leaves out moves forward by what the clock is.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T03:30+02:00"),
        ("America/New_York", "2026-03-08", "02:00", "2026-03-08T03:00-04:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-04T02:45+11:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T03:00+02:00"),
        ("America/New_York", "2026-03-08", "01:59", "2026-03-08T01:59-05:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-04T02:30+11:00"),
        # What the change back brings twice is taken the first time.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T02:30+02:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T01:30-04:00"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-05T01:45+11:00"),
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T03:00+01:00"),
        ("America/New_York", "2026-11-01", "02:00", "2026-11-01T02:00-05:00"),
        ("Australia/Lord_Howe", "2026-04-05", "02:00", "2026-04-05T02:00+10:30"),
    ],
)
def test_the_nights_when_the_clocks_change(zone: str, day: str, clock: str, expected: str) -> None:
    assert due(day, timezone=zone, time_of_day=clock) == expected
    assert due(f"{day}T{clock}", timezone=zone) == expected
    week_after = (date.fromisoformat(day) + timedelta(days=7)).isoformat()
    assert due(week_after, timezone=zone, time_of_day=clock, days_before=7) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_day_of_a_year_is_due_once_and_in_order(zone: str) -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    config = DueConfig(timezone=zone, time_of_day="02:10")
    moments = [due_at(config, day) for day in days]
    assert [moment.astimezone(ZoneInfo(zone)).date() for moment in moments if moment] == days
    assert moments == sorted(set(moments))


def test_a_value_that_says_which_of_two_hours_it_means() -> None:
    assert due("2026-10-25T02:30:00+01:00", timezone="Europe/Berlin") == "2026-10-25T02:30+01:00"
    assert due("2026-10-25T02:30:00+02:00", timezone="Europe/Berlin") == "2026-10-25T02:30+02:00"


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("2026-05-02", {"skip_weekends": True}, "2026-05-01"),
        ("2026-05-03", {"skip_weekends": True}, "2026-05-01"),
        ("2026-05-03", {"skip_weekends": True, "when_skipped": "after"}, "2026-05-04"),
        ("2026-05-03", {"skip_weekends": True, "when_skipped": "skip"}, None),
        ("2026-05-03", {}, "2026-05-03"),
        # Friday 1 May is a holiday in Germany.
        ("2026-05-02", {"skip_weekends": True, "holidays": "DE"}, "2026-04-30"),
        ("2026-05-01", {"holidays": "DE", "when_skipped": "after"}, "2026-05-02"),
        ("2026-05-01", {"holidays": "US"}, "2026-05-01"),
        # Corpus Christi is one in Bavaria, not in Berlin.
        ("2026-06-04", {"holidays": "DE", "holidays_subdivision": "BY"}, "2026-06-03"),
        ("2026-06-04", {"holidays": "DE", "holidays_subdivision": "BE"}, "2026-06-04"),
        # Friday and Saturday are the weekend in Egypt.
        ("2026-06-05", {"skip_weekends": True, "holidays": "EG"}, "2026-06-04"),
        ("2026-06-07", {"skip_weekends": True, "holidays": "EG"}, "2026-06-07"),
    ],
)
def test_days_off(value: str, options: dict[str, Any], expected: str | None) -> None:
    found = due(value, time_of_day="09:00", **options)
    assert found == (f"{expected}T09:00+00:00" if expected else None)


@pytest.mark.parametrize(
    ("since", "options", "expected"),
    [
        (None, {}, "1996-02-29"),
        ("2026-01-01T00:00:00Z", {}, "2026-02-28"),
        ("2026-02-28T00:00:00Z", {}, "2026-02-28"),
        ("2026-02-28T00:00:01Z", {}, "2027-02-28"),
        ("2028-01-01T00:00:00Z", {}, "2028-02-29"),
        ("1980-01-01T00:00:00Z", {}, "1996-02-29"),
        ("2026-12-31T00:00:00Z", {"days_before": 60}, "2027-12-31"),
        ("2026-01-01T00:00:00Z", {"days_after": 400}, "2026-04-04"),
        ("2026-01-01T00:00:00Z", {"skip_weekends": True, "when_skipped": "skip"}, "2028-02-29"),
        ("9999-06-01T00:00:00Z", {}, None),
    ],
)
def test_anniversaries(since: str | None, options: dict[str, Any], expected: str | None) -> None:
    found = due("1996-02-29", since, yearly=True, **options)
    assert found == (f"{expected}T00:00+00:00" if expected else None)
