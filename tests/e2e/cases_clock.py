"""Times, dates in records, and conditions that hold for a while.

Nobody waits for minutes: dates are reached, metrics were measured and workflows published some time ago.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from oneo.store import executions
from oneo.store.models import Execution
from tests.e2e.cases_records import added, changed
from tests.e2e.trigger_cases import Case, Family, Outside, Trace, Watched
from tests.e2e.waiting import wait_until
from tests.nodes.bench import EXAMPLES

SCHEDULED, DATE = EXAMPLES["trigger_scheduled"], EXAMPLES["trigger_date_reached"]
MET = EXAMPLES["trigger_condition_met"]
NEW_YORK = ZoneInfo("America/New_York")

# A minute that has just passed, on whatever day; with days before, dates are due at it.
PASSED = (datetime.now(UTC) - timedelta(minutes=2)).replace(second=0, microsecond=0)
COMING = PASSED + timedelta(hours=2)
SATURDAY = (PASSED - timedelta(days=2 + (PASSED.weekday() - 5 - 2) % 7)).replace(hour=9, minute=0)
FRIDAY = SATURDAY - timedelta(days=1)
BEFORE = timedelta(days=DATE["days_before"])
DATES = {**DATE, "pipeline_ids": ["contracts"], "time_of_day": f"{PASSED:%H:%M}"}
LONG_AGO = {**DATE, "grace_hours": 24 * 20}


def expiring(moment: datetime) -> dict[str, str]:
    """A contract that expires thirty days after the moment's day."""
    return {"contract_expiry": (moment + BEFORE).date().isoformat()}


def due_at(moment: datetime) -> Callable[[Sequence[Execution], Outside], None]:
    def came_due(found: Sequence[Execution], _: Outside) -> None:
        assert datetime.fromisoformat(found[0].data["due_at"]) == moment

    return came_due


def workday(moment: datetime) -> datetime:
    """The moment, or the same on the Friday before it."""
    return moment - timedelta(days=max(0, moment.weekday() - 4))


DATED = {
    # A weekend lies at most two days behind.
    "date": Watched("trigger_date_reached", {**DATES, "grace_hours": 72}),
    "date_later": Watched(
        "trigger_date_reached", {**DATES, "time_of_day": f"{COMING:%H:%M}", "skip_weekends": False}
    ),
    "date_workday": Watched("trigger_date_reached", {**LONG_AGO, "pipeline_ids": ["weekends"]}),
    "date_any_day": Watched(
        "trigger_date_reached", {**LONG_AGO, "pipeline_ids": ["weekends"], "skip_weekends": False}
    ),
    "date_skipped": Watched(
        "trigger_date_reached", {**LONG_AGO, "pipeline_ids": ["skipped"], "when_skipped": "skip"}
    ),
    "date_holiday": Watched(
        "trigger_date_reached",
        {**LONG_AGO, "pipeline_ids": ["holidays"], "holidays": "DE", "grace_hours": 8784},
    ),
}
FAR = {"contract_expiry": "2190-05-05"}
NEW_YEAR = datetime(PASSED.year, 1, 1, 9, tzinfo=UTC)
DATE_CASES = [
    Case("date", "date_field", added("contracts", expiring(PASSED))),
    Case("date", "date_field", added("contracts", {"renewal": "2026-01-01"}), "contract_expiry is empty"),
    Case("date", "date_field", changed("contracts", FAR, expiring(PASSED)), shows=due_at(workday(PASSED))),
    Case(
        "date", "date_field", changed("contracts", FAR, {"contract_expiry": ""}), "contract_expiry is empty"
    ),
    Case("date", "days_before", added("contracts", expiring(PASSED)), shows=due_at(workday(PASSED))),
    Case("date", "days_before", added("contracts", expiring(PASSED - BEFORE)), "longer ago than grace_hours"),
    Case("date", "time_of_day", added("contracts", expiring(PASSED)), shows=due_at(workday(PASSED))),
    Case(
        "date_later",
        "time_of_day",
        added("contracts", expiring(COMING)),
        f"it looks again at {COMING.isoformat()}",
    ),
    Case("date_workday", "skip_weekends", added("weekends", expiring(SATURDAY)), shows=due_at(FRIDAY)),
    Case("date_any_day", "skip_weekends", added("weekends", expiring(SATURDAY)), shows=due_at(SATURDAY)),
    Case("date_skipped", "skip_weekends", added("skipped", expiring(SATURDAY)), "a day that is skipped"),
    Case("date_skipped", "skip_weekends", added("skipped", expiring(FRIDAY)), shows=due_at(FRIDAY)),
    Case(
        "date_holiday",
        "holidays",
        added("holidays", expiring(NEW_YEAR)),
        shows=due_at(workday(NEW_YEAR - timedelta(days=1))),
    ),
]


def pushed(workflow: str, *values: tuple[float, Mapping[str, Any]]) -> Callable[[Outside], Trace]:
    """Values of a series that the workflow watches, each measured so many minutes ago."""

    def happens(outside: Outside) -> Trace:
        series = f"{workflow}-{outside.known.setdefault(workflow, 0)}"
        outside.known[workflow] += 1
        for minutes, measured in values:
            outside.sql(
                "SELECT oneo_push_metrics(:tenant, :series, CAST(:values AS jsonb), :at)",
                series=series,
                values=dict(measured),
                at=datetime.now(UTC) - timedelta(minutes=minutes),
            )
        return Trace(series=series)

    return happens


def met(workflow: str, config: Mapping[str, Any]) -> Watched:
    return Watched(
        "trigger_condition_met", {**config, "series": [f"{workflow}-{number}" for number in range(9)]}
    )


HOT, COOL = {"temperature": 120}, {"temperature": 90}
BRIEF = {name: value for name, value in MET["conditions"][0].items() if name != "duration_minutes"}
OPEN = {"field": "door", "operator": "eq", "value": "open"}
CONDITIONS = {
    "met": met("met", MET),
    "met_at_once": met("met_at_once", {**MET, "conditions": [BRIEF]}),
    "met_seldom": met("met_seldom", {**MET, "evaluation_frequency": "100000d"}),
    "met_both": met("met_both", {**MET, "conditions": [BRIEF, OPEN]}),
    "met_either": met("met_either", {**MET, "conditions": [BRIEF, OPEN], "require_all": False}),
}


def on_the_minute(found: Sequence[Execution], outside: Outside) -> None:
    """It was looked after five minutes, at the next full one."""
    at, due = (
        outside.sql(
            "SELECT data ->> :name FROM inbox WHERE kind = :kind AND data ->> 'series' = :series"
            " ORDER BY id DESC LIMIT 1",
            name=name,
            kind=kind,
            series=found[0].data["series"],
        )
        for name, kind in (("at", "metric"), ("due_at", "timer"))
    )
    waited = datetime.fromisoformat(due) - datetime.fromisoformat(at)
    assert datetime.fromisoformat(due).second == 0
    assert timedelta(minutes=5) <= waited < timedelta(minutes=6)


CONDITION_CASES = [
    Case("met", "conditions", pushed("met", (9, COOL), (7, HOT))),
    Case("met", "conditions", pushed("met", (9, COOL), (7, {"temperature": 100})), "$gt 100 does not hold"),
    Case("met", "conditions.field", pushed("met", (7, {"pressure": 120})), "temperature $gt 100 does not"),
    Case("met_at_once", "conditions.field", pushed("met_at_once", (0, HOT))),
    Case("met_at_once", "conditions.operator", pushed("met_at_once", (0, HOT))),
    Case("met_at_once", "conditions.operator", pushed("met_at_once", (0, {"temperature": -120})), "$gt 100"),
    Case("met_at_once", "conditions.value", pushed("met_at_once", (0, {"temperature": 100.5}))),
    Case("met_at_once", "conditions.value", pushed("met_at_once", (0, {"temperature": 100})), "$gt 100"),
    Case("met_at_once", "conditions", pushed("met_at_once", (2, HOT), (1, COOL), (0, HOT)), starts=2),
    Case("met", "conditions.duration_minutes", pushed("met", (0, HOT)), "it looks again at"),
    Case("met", "conditions.duration_minutes", pushed("met", (7, HOT), (6, COOL)), "does not hold"),
    Case("met_at_once", "conditions.duration_minutes", pushed("met_at_once", (1, HOT), (0, HOT))),
    Case("met", "evaluation_frequency", pushed("met", (7, HOT)), shows=on_the_minute),
    Case("met_seldom", "evaluation_frequency", pushed("met_seldom", (7, HOT)), "it looks again at 2243-"),
    Case("met_both", "require_all", pushed("met_both", (0, HOT)), "door $eq 'open' does not hold"),
    Case("met_both", "require_all", pushed("met_both", (0, HOT), (0, {"door": "open"}))),
    Case("met_either", "require_all", pushed("met_either", (0, HOT))),
    Case("met_either", "require_all", pushed("met_either", (1, HOT), (0, {"door": "open"})), starts=2),
]

WORK = [
    {"id": f"step{number}", "type": "set_variable", "config": {"variables": {"n": number}}}
    for number in range(3)
]


def mondays(zone: Any, count: int, days: Sequence[int] = (0,)) -> list[datetime]:
    """The last Mondays at nine, or other days of a week, oldest first."""
    now = datetime.now(zone)
    nine = (now - timedelta(days=back) for back in range(7 * count + 7))
    found = [day.replace(hour=9, minute=0, second=0, microsecond=0) for day in nine if day.weekday() in days]
    return [day.astimezone(UTC) for day in found if day <= now][: count * len(days)][::-1]


def scheduled(**options: Any) -> Watched:
    return Watched("trigger_scheduled", {**SCHEDULED, **options}, WORK)


TIMED = {
    "clock": scheduled(),
    "clock_new": scheduled(),
    "clock_daily": scheduled(cron_expression="0 9 * * *"),
    "clock_utc": scheduled(timezone="UTC"),
    "clock_one_by_one": scheduled(catch_up_on_failure=True),
    "clock_abreast": scheduled(catch_up_on_failure=True, max_concurrent=3),
    "clock_several": scheduled(
        cron_expression="0 9 * * TUE", cron_expressions=["0 9 * * MON", "0 9 * * MON,TUE"]
    ),
}


def times(workflow: str, count: int) -> Callable[[Outside], Trace]:
    """What the clock has started, once it is that much."""

    def happens(outside: Outside) -> Trace:
        def of_clock() -> list[Execution]:
            with outside.stack.database.tenant(outside.tenant) as session:
                return executions.recent(session, workflow_id=workflow, limit=100)

        wait_until(lambda: len(of_clock()) >= count, f"the clock to start {workflow}", 120)
        return Trace(executions=tuple(str(row.id) for row in of_clock()), answer="its time has not come")

    return happens


def at(*moments: datetime) -> Callable[[Sequence[Execution], Outside], None]:
    def at_its_time(found: Sequence[Execution], _: Outside) -> None:
        assert sorted(datetime.fromisoformat(row.data["scheduled_for"]) for row in found) == list(moments)

    return at_its_time


def one_by_one(found: Sequence[Execution], _: Outside) -> None:
    assert not overlapping(found)


def abreast(found: Sequence[Execution], _: Outside) -> None:
    assert overlapping(found)


def overlapping(found: Sequence[Execution]) -> bool:
    spans = sorted((row.started_at, row.ended_at) for row in found if row.started_at and row.ended_at)
    assert len(spans) == len(found)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


TIME_CASES = [
    Case("clock", "cron_expression", times("clock", 1), shows=at(*mondays(NEW_YORK, 1))),
    Case("clock_new", "cron_expression", times("clock_new", 0), "its time has not come"),
    Case(
        "clock_daily",
        "cron_expression",
        times("clock_daily", 1),
        shows=at(*mondays(NEW_YORK, 1, range(7))[-1:]),
    ),
    Case(
        "clock_several",
        "cron_expressions",
        times("clock_several", 1),
        shows=at(*mondays(NEW_YORK, 1, (0, 1))[-1:]),
    ),
    Case("clock", "timezone", times("clock", 1), shows=at(*mondays(NEW_YORK, 1))),
    Case("clock_utc", "timezone", times("clock_utc", 1), shows=at(*mondays(UTC, 1))),
    Case("clock", "catch_up_on_failure", times("clock", 1)),
    Case(
        "clock_one_by_one",
        "catch_up_on_failure",
        times("clock_one_by_one", 3),
        starts=3,
        shows=at(*mondays(NEW_YORK, 3)),
    ),
    Case("clock_one_by_one", "max_concurrent", times("clock_one_by_one", 3), starts=3, shows=one_by_one),
    Case("clock_abreast", "max_concurrent", times("clock_abreast", 3), starts=3, shows=abreast),
]


def prepare(outside: Outside) -> None:
    """Pipelines, and workflows that have been in service for some weeks."""
    for name in ("contracts", "weekends", "skipped", "holidays"):
        outside.pipeline(name)
    with outside.stack.database.system() as session:
        session.connection().exec_driver_sql(
            "UPDATE workflows SET created_at = created_at - interval '21 days'"
            " WHERE tenant_id = %s AND id LIKE 'clock%%' AND id <> 'clock_new'",
            (outside.tenant,),
        )
    # Airflow may have read the first version before it was that old; the next one it reads anew.
    outside.publish({name: one for name, one in TIMED.items() if name != "clock_new"})


FAMILY = Family(
    "clock",
    {**TIMED, **DATED, **CONDITIONS},
    [*DATE_CASES, *CONDITION_CASES, *TIME_CASES],
    prepare,
)
