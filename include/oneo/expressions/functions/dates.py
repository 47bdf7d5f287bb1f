"""Date functions. Where the date is left out, it is now: `date.add_days(3)`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oneo.errors import ExpressionError
from oneo.expressions import calendar
from oneo.expressions.functions.patterns import format_date, parse_date
from oneo.expressions.functions.registry import (
    function,
    need_date,
    need_list,
    need_number,
    need_text,
    need_whole,
)
from oneo.expressions.run import Run
from oneo.expressions.values import as_moment

_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")
_SPAN = 1_000_000


def _moment(run: Run, value: Any) -> datetime:
    return as_moment(need_date(run, value), run.scope.timezone)


@function("date.add_days", examples=(("date.add_days('2026-01-30', 3)", "2026-02-02"),), dated=True)
def add_days(run: Run, moment: Any, days: Any) -> date:
    """The same time of day, so many days later."""
    return calendar.add_days(need_date(run, moment), need_whole(days, least=-_SPAN, most=_SPAN))


@function("date.add_weeks", examples=(("date.add_weeks('2026-01-30', 1)", "2026-02-06"),), dated=True)
def add_weeks(run: Run, moment: Any, weeks: Any) -> date:
    """The same time of day, so many weeks later."""
    return calendar.add_days(need_date(run, moment), 7 * need_whole(weeks, least=-_SPAN, most=_SPAN))


@function("date.add_months", examples=(("date.add_months('2026-01-31', 1)", "2026-02-28"),), dated=True)
def add_months(run: Run, moment: Any, months: Any) -> date:
    """The same day so many months later, or that month's last."""
    return calendar.add_months(need_date(run, moment), need_whole(months, least=-_SPAN, most=_SPAN))


@function("date.add_years", examples=(("date.add_years('2024-02-29', 1)", "2025-02-28"),), dated=True)
def add_years(run: Run, moment: Any, years: Any) -> date:
    """The same day so many years later."""
    return calendar.add_months(need_date(run, moment), 12 * need_whole(years, least=-10_000, most=10_000))


@function(
    "date.add_hours",
    examples=(("date.add_hours('2026-01-30T23:00:00Z', 2)", "2026-01-31T01:00:00+00:00"),),
    dated=True,
)
def add_hours(run: Run, moment: Any, hours: Any) -> date:
    """So many hours later in real time, also across a change of the clocks."""
    return calendar.add_time(_moment(run, moment), timedelta(hours=float(need_number(hours))))


@function(
    "date.add_minutes",
    examples=(("date.add_minutes('2026-01-30T23:59:00Z', 2)", "2026-01-31T00:01:00+00:00"),),
    dated=True,
)
def add_minutes(run: Run, moment: Any, minutes: Any) -> date:
    """So many minutes later in real time."""
    return calendar.add_time(_moment(run, moment), timedelta(minutes=float(need_number(minutes))))


@function(
    "date.add_business_days",
    examples=(("date.add_business_days('2026-01-30', 1)", "2026-02-02"),),
    dated=True,
)
def add_business_days(run: Run, moment: Any, days: Any, holidays: Any = None) -> date:
    """So many days later, counting Monday to Friday only and leaving out a list of holidays."""
    day = need_date(run, moment)
    left = need_whole(days, least=-_SPAN, most=_SPAN)
    free = _holidays(run, holidays)
    forward = 1 if left > 0 else -1
    while left:
        run.spend(1)
        day = calendar.add_days(day, forward)
        left -= forward if _is_business(day, free) else 0
    return day


@function("date.is_business_day", examples=(("date.is_business_day('2026-01-31')", "false"),), dated=True)
def is_business_day(run: Run, moment: Any, holidays: Any = None) -> bool:
    """Whether a day is from Monday to Friday and not in a list of holidays."""
    return _is_business(need_date(run, moment), _holidays(run, holidays))


@function(
    "date.parse",
    examples=(
        ("date.parse('31.01.2026', '%d.%m.%Y')", "2026-01-31"),
        ("date.parse('2026-01-31')", "2026-01-31"),
    ),
)
def parse(run: Run, value: Any, pattern: Any = None) -> date:
    """The date a text stands for: ISO 8601, or as the pattern says, in the tokens of `date.format`."""
    if pattern is None:
        return need_date(run, value)
    return parse_date(need_text(run, value), need_text(run, pattern), run.scope.timezone)


@function(
    "date.format",
    examples=(
        ("date.format('2026-01-31', '%d.%m.%Y')", "31.01.2026"),
        ("date.format('2026-01-31', 'D MMMM YYYY')", "31 January 2026"),
    ),
    dated=True,
)
def format_(run: Run, moment: Any, pattern: Any) -> str:
    """The date as a pattern says: %Y %m %d %H %M %S … or YYYY MM DD HH mm ss … with other text in [brackets]."""
    return format_date(_moment(run, moment), need_text(run, pattern))


@function("date.diff_days", examples=(("date.diff_days('2026-01-01', '2026-01-31')", "30"),), dated=True)
def diff_days(run: Run, start: Any, end: Any) -> int:
    """Days on the calendar from the first date to the second."""
    first, second = (_moment(run, value).astimezone(run.scope.timezone).date() for value in (start, end))
    return (second - first).days


@function("date.diff_hours", examples=(("date.diff_hours('2026-01-01', '2026-01-02')", "24.0"),), dated=True)
def diff_hours(run: Run, start: Any, end: Any) -> float:
    """Hours from the first moment to the second."""
    return _between(run, start, end) / timedelta(hours=1)


@function(
    "date.diff_minutes", examples=(("date.diff_minutes('2026-01-01', '2026-01-02')", "1440.0"),), dated=True
)
def diff_minutes(run: Run, start: Any, end: Any) -> float:
    """Minutes from the first moment to the second."""
    return _between(run, start, end) / timedelta(minutes=1)


@function(
    "date.start_of",
    examples=(("date.start_of('2026-01-31', 'month')", "2026-01-01T00:00:00+00:00"),),
    dated=True,
)
def start_of(run: Run, moment: Any, unit: Any) -> datetime:
    """The first moment of the hour, day, week (from Monday), month or year."""
    return calendar.settled(_start(_moment(run, moment), _unit(run, unit)))


@function(
    "date.end_of",
    examples=(("date.end_of('2026-01-31', 'day')", "2026-01-31T23:59:59.999999+00:00"),),
    dated=True,
)
def end_of(run: Run, moment: Any, unit: Any) -> datetime:
    """The last moment of the hour, day, week (to Sunday), month or year."""
    name = _unit(run, unit)
    start = _start(_moment(run, moment), name)
    if name in ("month", "year"):
        after = calendar.add_months(start, 1 if name == "month" else 12)
    elif name in ("day", "week"):
        after = calendar.add_days(start, 1 if name == "day" else 7)
    else:
        after = calendar.add_time(start, timedelta(**{f"{name}s": 1}))
    return calendar.add_time(after, timedelta(microseconds=-1))


@function(
    "date.in_timezone",
    examples=(("date.in_timezone('2026-01-31T23:30:00Z', 'Europe/Berlin')", "2026-02-01T00:30:00+01:00"),),
    dated=True,
)
def in_timezone(run: Run, moment: Any, zone: Any) -> datetime:
    """The same moment as the clocks of a time zone show it."""
    name = need_text(run, zone)
    try:
        found = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ExpressionError(
            "does not know that time zone", hint="write one such as Europe/Berlin"
        ) from None
    return _moment(run, moment).astimezone(found)


@function("date.timestamp", examples=(("date.timestamp('1970-01-02')", "86400.0"),), dated=True)
def timestamp(run: Run, moment: Any) -> float:
    """Seconds since 1970."""
    return _moment(run, moment).timestamp()


@function("date.weekday", examples=(("date.weekday('2026-01-31')", "6"),), dated=True)
def weekday(run: Run, moment: Any) -> int:
    """The day of the week, from 1 for Monday to 7 for Sunday."""
    return need_date(run, moment).isoweekday()


@function(
    "duration", examples=(("duration(days=3, hours=4)", "P3DT4H"), ("now > now - duration(hours=1)", "true"))
)
def duration(_run: Run, days: Any = 0, hours: Any = 0, minutes: Any = 0, seconds: Any = 0) -> timedelta:
    """A span of time, to add to a date or compare with the difference of two; kept as text such as P3DT4H."""
    given = [float(need_number(value)) for value in (days, hours, minutes, seconds)]
    return timedelta(days=given[0], hours=given[1], minutes=given[2], seconds=given[3])


@function("iso", examples=(("date.parse('2026-01-31') | iso", "2026-01-31"),))
def iso(run: Run, value: Any) -> str:
    """A date, moment or duration as ISO 8601 writes it."""
    return calendar.iso_duration(value) if isinstance(value, timedelta) else need_date(run, value).isoformat()


@function("now", examples=(("now() == now", "true"),), dated=True)
def now(run: Run, moment: Any) -> datetime:
    """The moment of this evaluation, the same throughout."""
    return _moment(run, moment)


@function("today", examples=(("today() == today", "true"),), dated=True)
def today(run: Run, moment: Any) -> date:
    """The date of this evaluation in the scope's time zone."""
    return _moment(run, moment).astimezone(run.scope.timezone).date()


def _holidays(run: Run, given: Any) -> set[date]:
    days = (need_date(run, item) for item in need_list(run, given))
    return {day.date() if isinstance(day, datetime) else day for day in days}


def _is_business(day: date, free: set[date]) -> bool:
    return day.isoweekday() <= 5 and (day.date() if isinstance(day, datetime) else day) not in free


def _between(run: Run, start: Any, end: Any) -> timedelta:
    return calendar.elapsed(_moment(run, start), _moment(run, end))


def _unit(run: Run, unit: Any) -> str:
    name = need_text(run, unit).lower().removesuffix("s")
    if name not in _UNITS:
        raise ExpressionError("does not know that unit", hint=f"known: {', '.join(_UNITS)}")
    return name


def _start(moment: datetime, unit: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "second":
            return moment.replace(microsecond=0)
        case "minute":
            return moment.replace(second=0, microsecond=0)
        case "hour":
            return moment.replace(minute=0, second=0, microsecond=0)
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day
