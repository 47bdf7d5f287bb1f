"""When a date that stands in a record is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from oneo.working_days import DaysOff, WhenSkipped, subdivisions
from oneo_operators.base import NodeConfig
from oneo_operators.time_options import TimeOfDay, Zone

# With "skip", an anniversary may fall on days off for some years in a row.
_YEARS = 12


class DueConfig(NodeConfig):
    """From a date to the moment that counts."""

    days_before: int = Field(default=0, ge=0, le=36_500, description="Days before the date.")
    days_after: int = Field(default=0, ge=0, le=36_500, description="Days after the date.")
    time_of_day: TimeOfDay | None = Field(
        default=None,
        description="When on that day, e.g. `09:00`. Default: the time that stands with the date, else the day's "
        "beginning.",
    )
    timezone: Zone = Field(
        default="UTC", description="Zone of the day and its time, and of dates that are written without one."
    )
    yearly: bool = Field(default=False, description="Every year on that day, as for birthdays.")
    skip_weekends: bool = Field(
        default=False, description="A moment on a weekend is moved or left out, see when_skipped."
    )
    holidays: str | None = Field(
        default=None,
        description="Country whose public holidays are treated like weekends, e.g. `DE`; their weekend is that of the "
        "country.",
    )
    holidays_subdivision: str | None = Field(
        default=None, description="Part of the country that has holidays of its own, e.g. `BY`."
    )
    when_skipped: WhenSkipped = Field(
        default="before",
        description="What becomes of a moment on a day off: the working day `before` or `after` it, at the same time "
        "of day, or none (`skip`).",
    )

    @model_validator(mode="after")
    def _readable(self) -> DueConfig:
        if self.days_before and self.days_after:
            raise ValueError("days_before and days_after cannot both be given; leave one of them out")
        if self.holidays_subdivision and not self.holidays:
            raise ValueError("holidays_subdivision needs the country in holidays, e.g. DE")
        if self.holidays:
            parts = subdivisions(self.holidays)
            if parts is None:
                raise ValueError(
                    f"holidays of {self.holidays!r} are not known; write a country's code such as DE, US or AU"
                )
            if self.holidays_subdivision and self.holidays_subdivision not in parts:
                known = ", ".join(parts) or "none"
                raise ValueError(
                    f"{self.holidays_subdivision!r} is no part of {self.holidays} with holidays of its own; "
                    f"known are: {known}"
                )
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone, read once."""
        return ZoneInfo(self.timezone)

    @cached_property
    def days_off(self) -> DaysOff:
        """The days that are skipped."""
        return DaysOff(self.skip_weekends, self.holidays, self.holidays_subdivision)

    @property
    def shift(self) -> timedelta:
        """From the date to the day that counts."""
        return timedelta(days=self.days_after - self.days_before)


def due_at(options: DueConfig, value: Any, since: datetime | None = None) -> datetime | None:
    """The moment that a date stands for, in UTC; None where the value is no date, or its moment is skipped.

    A local time that the change to summer time leaves out is moved forward by what the clock is; one that the change
    back brings twice is taken the first time, unless the value itself says which.

    Args:
        options: How the date counts.
        value: An ISO 8601 date or time as text, or one of Python's; its zone is `options.timezone` unless it says so.
        since: With `yearly`, the first moment that is not before this one is meant; default: the first of all.
    """
    start = _local(value, options.zone)
    if start is None:
        return None
    try:
        if not options.yearly:
            return _due(options, start, start.date())
        first = start.year
        if since is not None:
            first = max(first, (since - options.shift).year - 1)
        for year in range(first, first + _YEARS):
            found = _due(options, start, _in_year(start.date(), year))
            if found is not None and (since is None or found >= since):
                return found
    except (OverflowError, ValueError):
        # No calendar goes that far.
        return None
    return None


def _due(options: DueConfig, start: datetime, day: date) -> datetime | None:
    found = options.days_off.moved(day + options.shift, options.when_skipped)
    if found is None:
        return None
    clock = start.time() if found == start.date() else start.time().replace(fold=0)
    if options.time_of_day is not None:
        clock = time.fromisoformat(options.time_of_day)
    return datetime.combine(found, clock, tzinfo=options.zone).astimezone(UTC)


def _in_year(day: date, year: int) -> date:
    """The day's anniversary; that of 29 February is the 28th where there is none."""
    if (day.month, day.day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=1)
    return day.replace(year=year)


def _local(value: Any, zone: ZoneInfo) -> datetime | None:
    """A value as the zone's clock shows it."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    try:
        return value.astimezone(zone) if value.tzinfo else value.replace(tzinfo=zone)
    except OverflowError:
        return None
