"""trigger_scheduled: when the clock starts a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.sdk import CronTriggerTimetable
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables import trigger
from airflow.timetables.base import TimeRestriction, Timetable

from dag_factory.catalogue import Schedule
from dag_factory.examine import plan_of
from dag_factory.render import Edition, render
from oneo_operators.catalogue import catalogue
from oneo_operators.nodes.triggers.trigger_scheduled import TriggerScheduledOperator
from tests.nodes.bench import EXAMPLES, Bench

EXAMPLE = EXAMPLES["trigger_scheduled"]


def test_the_example_is_monday_morning_in_new_york(bench: Bench) -> None:
    wanted = Schedule(("0 9 * * MON",), "America/New_York", 1, catchup=False)
    assert TriggerScheduledOperator.schedule(EXAMPLE) == wanted
    nodes = [{"id": "clock", "type": "trigger_scheduled", "config": EXAMPLE}]
    plan = plan_of({"name": "w", "nodes": nodes}, bench.catalogue)
    assert (plan.schedule, plan.max_active_runs) == (wanted, 1)


def test_defaults() -> None:
    assert TriggerScheduledOperator.schedule({"cron_expression": "*/5 * * * *"}) == Schedule(
        ("*/5 * * * *",), "UTC", 1, catchup=False
    )


def test_catch_up_and_concurrency() -> None:
    config = {"cron_expression": "@daily", "max_concurrent": 3, "catch_up_on_failure": True}
    assert TriggerScheduledOperator.schedule(config) == Schedule(("@daily",), "UTC", 3, catchup=True)


@pytest.mark.parametrize("preset", ["@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly"])
def test_presets_are_known_here_and_to_airflow(bench: Bench, preset: str) -> None:
    assert bench.problems("trigger_scheduled", {"cron_expression": preset}) == []
    CronTriggerTimetable(preset, timezone="UTC")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cron_expression": "every monday"}, "'every monday' is not a cron expression; write minute, hour"),
        ({"cron_expression": "61 * * * *"}, "is not a cron expression"),
        ({"cron_expression": "0 0 9 * * MON"}, "is not a cron expression"),
        ({"cron_expression": "@fortnightly"}, "or one of @hourly, @daily"),
        ({"cron_expressions": ["0 9 * * *", "noon"]}, "'noon' is not a cron expression"),
        ({"cron_expressions": ["0 9 31 2 *"]}, "'0 9 31 2 *' names a day that never comes"),
        (
            {"timezone": "Mars/Olympus"},
            "'Mars/Olympus' is no time zone; write an IANA name such as Europe/Berlin",
        ),
        ({"timezone": "../etc/passwd"}, "is no time zone"),
        ({"max_concurrent": 0}, "greater than or equal to 1"),
        ({"max_concurrent": 1001}, "less than or equal to 1000"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, config: dict[str, Any], message: str) -> None:
    [found] = bench.problems("trigger_scheduled", {**EXAMPLE, **config})
    assert message in found


def test_the_expression_is_needed(bench: Bench) -> None:
    [found] = bench.problems("trigger_scheduled", {})
    assert "say when: give cron_expression, or several in cron_expressions" in found


@dataclass
class VirtualClock:
    """The time as Airflow's timetables ask for it."""

    now: pendulum.DateTime

    def time(self) -> float:
        return self.now.timestamp()


@cache
def _timetable(crons: tuple[str, ...], zone: str) -> Timetable:
    config = {"cron_expressions": list(crons), "timezone": zone}
    nodes = [{"id": "clock", "type": "trigger_scheduled", "config": config}]
    plan = plan_of({"name": "w", "nodes": nodes}, catalogue())
    dag = render(plan, Edition("t", 1, datetime(2026, 1, 1, tzinfo=UTC), {}), catalogue())
    found: Timetable = coerce_to_core_timetable(dag.timetable)
    return found


def timetable_of(crons: list[str], zone: str) -> Timetable:
    """Airflow's timetable of a workflow with these expressions."""
    return _timetable(tuple(crons), zone)


def walk(crons: list[str], zone: str, day: str) -> list[str]:
    """The times of a day at which Airflow starts a workflow, as the zone's clock shows them."""
    timetable = timetable_of(crons, zone)
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    # With catch-up it tells one time after the other, whatever the clock says.
    restriction = TimeRestriction(pendulum.instance(begins), None, catchup=True)
    found: list[str] = []
    last = None
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert info is not None
        moment = info.run_after.astimezone(ZoneInfo(zone))
        if moment >= begins + timedelta(days=1):
            return found
        found.append(moment.strftime("%H:%M%z"))
        last = info.data_interval


SPRING = [
    ("Europe/Berlin", "2026-03-29"),
    ("America/New_York", "2026-03-08"),
    ("Australia/Lord_Howe", "2026-10-04"),
]
AUTUMN = [
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
]


@pytest.mark.parametrize(
    ("zone", "day", "cron", "expected"),
    [
        # A time that the change to summer time leaves out comes later, by what the clock is moved.
        (*SPRING[0], "30 2 * * *", ["03:30+0200"]),
        (*SPRING[1], "30 2 * * *", ["03:30-0400"]),
        (*SPRING[2], "15 2 * * *", ["02:45+1100"]),
        # One that the change back brings twice comes once, the second time.
        (*AUTUMN[0], "30 2 * * *", ["02:30+0100"]),
        (*AUTUMN[1], "30 1 * * *", ["01:30-0500"]),
        (*AUTUMN[2], "45 1 * * *", ["01:45+1030"]),
    ],
)
def test_a_time_of_day_comes_once_when_the_clocks_change(
    zone: str, day: str, cron: str, expected: list[str]
) -> None:
    assert walk([cron], zone, day) == expected


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [(zone, day, 23) for zone, day in SPRING[:2]] + [(zone, day, 25) for zone, day in AUTUMN[:2]],
)
def test_every_hour_is_every_hour_that_there_is(zone: str, day: str, count: int) -> None:
    found = walk(["0 * * * *"], zone, day)
    assert len(set(found)) == len(found) == count


@pytest.mark.parametrize(("zone", "day", "count"), [(*SPRING[2], 47), (*AUTUMN[2], 49)])
def test_where_the_clocks_change_by_half_an_hour(zone: str, day: str, count: int) -> None:
    found = walk(["*/30 * * * *"], zone, day)
    assert len(set(found)) == len(found) == count


@pytest.mark.parametrize(("zone", "day"), SPRING + AUTUMN)
def test_several_expressions_each_come_once_whatever_the_clocks_do(zone: str, day: str) -> None:
    found = walk(["10 0 * * *", "20 2 * * *", "10 5 * * *", "0 5,23 * * *"], zone, day)
    assert len(set(found)) == len(found) == 5
    assert [moment[:5] for moment in found if moment[:2] != "02" and moment[:2] != "03"] == [
        "00:10", "05:00", "05:10", "23:00",
    ]  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), SPRING + AUTUMN)
@pytest.mark.parametrize(
    "crons", [["30 2 * * *"], ["*/30 * * * *"], ["10 0 * * *", "20 2 * * *", "0 5,23 * * *"]]
)
def test_a_scheduler_that_looks_all_the_time_starts_each_of_them_once(
    crons: list[str], zone: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    ends = (begins + timedelta(days=1)).astimezone(UTC)
    clock = VirtualClock(pendulum.instance(begins.astimezone(UTC)))
    monkeypatch.setattr(trigger, "utcnow", lambda: clock.now)
    monkeypatch.setattr(trigger, "time", clock)
    restriction = TimeRestriction(clock.now, None, catchup=False)
    found: list[str] = []
    last = None
    while clock.now < ends:
        info = timetable_of(crons, zone).next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        assert info is not None
        if info.run_after <= clock.now:
            found.append(info.run_after.astimezone(ZoneInfo(zone)).strftime("%H:%M%z"))
            last = info.data_interval
        clock.now = clock.now.add(minutes=5)
    assert found == walk(crons, zone, day)


def test_where_expressions_meet_there_is_one_start() -> None:
    assert walk(["0 9 * * *", "0 */9 * * *"], "UTC", "2026-01-05") == [
        "00:00+0000",
        "09:00+0000",
        "18:00+0000",
    ]


def test_several_expressions_beside_the_first() -> None:
    config = {"cron_expression": "0 9 * * *", "cron_expressions": ["0 17 * * *", "0 9 * * *"]}
    assert TriggerScheduledOperator.schedule(config).crons == ("0 9 * * *", "0 17 * * *")


def test_its_output_is_the_trigger_data(bench: Bench) -> None:
    nodes = [{"id": "clock", "type": "trigger_scheduled", "config": EXAMPLE}]
    data = {"scheduled_for": "2031-01-06T09:00:00-05:00"}
    assert bench.run({"name": "w", "nodes": nodes}, data, trigger="clock")["output"] == data
