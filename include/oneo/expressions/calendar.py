"""Calendar arithmetic on dates and moments."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

Day = TypeVar("Day", date, datetime)


def add_months(day: Day, months: int) -> Day:
    """The same day so many months on, or the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    moved = day.replace(year=year, month=month + 1, day=1)
    return settled(moved.replace(day=min(day.day, calendar.monthrange(year, month + 1)[1])))


def add_days(day: Day, days: int) -> Day:
    """The same time of day so many days on, whatever the clocks did in between."""
    return settled(day + timedelta(days=days))


def add_time(moment: datetime, span: timedelta) -> datetime:
    """So much later in real time, also across a change of the clocks."""
    return (moment.astimezone(UTC) + span).astimezone(moment.tzinfo)


def settled(day: Day) -> Day:
    """The day itself, its time of day moved where the change of the clocks skips it."""
    if isinstance(day, datetime) and day.tzinfo is not None:
        return day.astimezone(UTC).astimezone(day.tzinfo)
    return day


def iso_duration(span: timedelta) -> str:
    """A span as ISO 8601 writes it, e.g. `P3DT4H`."""
    seconds, sign = (abs(span), "-") if span < timedelta(0) else (span, "")
    minutes, second = divmod(seconds.seconds, 60)
    hours, minute = divmod(minutes, 60)
    fraction = f".{seconds.microseconds:06d}".rstrip("0") if seconds.microseconds else ""
    day = f"{seconds.days}D" if seconds.days else ""
    clock = (f"{hours}H" if hours else "") + (f"{minute}M" if minute else "")
    clock += f"{second}{fraction}S" if second or fraction else ""
    return f"{sign}P{day}" + (f"T{clock}" if clock else "" if day else "T0S")


def elapsed(start: datetime, end: datetime) -> timedelta:
    """Real time from one moment to another, also across a change of the clocks."""
    return end.astimezone(UTC) - start.astimezone(UTC)
