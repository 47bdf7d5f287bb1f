"""When something is due: a date, or a time from now in days that may have to be business days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from oneo.errors import ConfigError
from oneo.expressions.calendar import add_days, add_months, add_time, settled

if TYPE_CHECKING:
    from holidays import HolidayBase

EXPECTED = (
    "a valid date or time such as 2026-01-31 or 2026-01-31T17:00, or a time from now: +2 days, +1 week, "
    "+3 business days, P2D, PT4H, today, tomorrow"
)
_FROM_NOW = re.compile(
    r"(?:in\s+|([+-])\s*)?(\d{1,5})\s*(minute|hour|day|week|month|year|(?:business|working)[ _-]?day)s?",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"([+-])?P(?=.)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?"
)
_WORDS = {"today": 0, "tomorrow": 1}


@dataclass(frozen=True)
class FromNow:
    """A time from now. All but `span`, which is real time, keep the time of day."""

    months: int = 0
    weeks: int = 0
    days: int = 0
    business_days: int = 0
    span: timedelta = timedelta()
    whole_day: bool = False


def read(text: str) -> datetime | date | FromNow | None:
    """What a text says; None where it says nothing that could be due."""
    text = text.strip()
    if text.lower() in _WORDS:
        return FromNow(days=_WORDS[text.lower()], whole_day=True)
    if match := _FROM_NOW.fullmatch(text):
        number, unit = int(f"{match[1] or ''}{match[2]}"), match[3].lower()
        if unit in ("minute", "hour"):
            return FromNow(span=timedelta(**{f"{unit}s": number}))
        if unit in ("month", "year"):
            return FromNow(months=number * (12 if unit == "year" else 1))
        if unit in ("day", "week"):
            return FromNow(days=number) if unit == "day" else FromNow(weeks=number)
        return FromNow(business_days=number)
    if match := _DURATION.fullmatch(text):
        sign = -1 if match[1] == "-" else 1
        years, months, weeks, days, hours, minutes, seconds = (
            sign * int(one or 0) for one in match.groups()[1:]
        )
        span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return FromNow(months=years * 12 + months, weeks=weeks, days=days, span=span)
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


class BusinessDays:
    """Which days people work.

    Args:
        country: Country (`DE`) or country and region (`DE-BY`); None for Monday to Friday without holidays.

    Raises:
        ConfigError: No holidays are known of it.
    """

    def __init__(self, country: str | None) -> None:
        import holidays  # noqa: PLC0415 - only where business days count

        name, _, region = (country or "").partition("-")
        try:
            found = holidays.country_holidays(name, subdiv=region or None) if name else holidays.HolidayBase()
        except NotImplementedError as error:
            raise ConfigError(
                f"no holidays are known of {country!r}", "give a country, or with its region: DE, DE-BY, US"
            ) from error
        self._holidays: HolidayBase = found

    def add(self, moment: datetime, days: int) -> datetime:
        """The same time of day so many business days on."""
        step = 1 if days > 0 else -1
        while days:
            moment = add_days(moment, step)
            days -= step if self._holidays.is_working_day(moment.date()) else 0
        return moment

    def next(self, moment: datetime) -> datetime:
        """The moment, or where its day is free, the same time of the next business day."""
        while not self._holidays.is_working_day(moment.date()):
            moment = add_days(moment, 1)
        return moment


def moment_of(
    due: datetime | date | FromNow, now: datetime, country: str | None, *, business_days: bool
) -> datetime:
    """When it is due, in the zone of `now`; a date alone means its end.

    Args:
        due: What was read.
        now: The moment from which it counts.
        country: Whose holidays are free, see `BusinessDays`.
        business_days: Whether days from now are business days, and a day that is free moves to the next.

    Raises:
        ConfigError: No holidays are known of the country.
    """
    if isinstance(due, datetime):
        moment = settled(due.replace(tzinfo=now.tzinfo)) if due.tzinfo is None else due.astimezone(now.tzinfo)
    elif isinstance(due, date):
        moment = _end_of(due, now)
    else:
        counted = due.days if business_days and not due.whole_day else 0
        moment = add_days(add_months(now, due.months), due.weeks * 7 + due.days - counted)
        if counted + due.business_days:
            moment = BusinessDays(country).add(moment, counted + due.business_days)
        moment = add_time(moment, due.span)
        moment = _end_of(moment.date(), now) if due.whole_day else moment
    return BusinessDays(country).next(moment) if business_days else moment


def _end_of(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=now.tzinfo)
