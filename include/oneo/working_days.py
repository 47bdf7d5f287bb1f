"""Days on which people work: no weekends, no public holidays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holidays import HolidayBase

WhenSkipped = Literal["before", "after", "skip"]
_SATURDAY_AND_SUNDAY = frozenset({5, 6})


@dataclass(frozen=True)
class DaysOff:
    """Which days are off.

    Attributes:
        weekends: Whether weekends are, as they are in the country, else Saturday and Sunday.
        country: Code of the country whose public holidays are, e.g. `DE`.
        subdivision: Part of it that has holidays of its own, e.g. `BY`.
    """

    weekends: bool = False
    country: str | None = None
    subdivision: str | None = None

    def hold(self, day: date) -> bool:
        """Whether the day is off."""
        calendar = _calendar(self.country, self.subdivision) if self.country else None
        weekend = _SATURDAY_AND_SUNDAY if calendar is None else calendar.weekend
        if self.weekends and day.weekday() in weekend:
            return True
        return calendar is not None and day in calendar

    def moved(self, day: date, when_skipped: WhenSkipped) -> date | None:
        """The day, or the working day before or after it; None where a day off is skipped.

        Raises:
            OverflowError: No calendar has that day.
        """
        if not self.hold(day):
            return day
        if when_skipped == "skip":
            return None
        step = timedelta(days=-1 if when_skipped == "before" else 1)
        while self.hold(day):
            day += step
        return day


def subdivisions(country: str) -> Sequence[str] | None:
    """The parts of a country that have holidays of their own; None where the country is unknown."""
    from holidays import list_supported_countries  # noqa: PLC0415 - needed at save time, not in tasks

    return list_supported_countries().get(country)


@cache
def _calendar(country: str, subdivision: str | None) -> HolidayBase:
    from holidays import country_holidays  # noqa: PLC0415 - only where a workflow names a country

    return country_holidays(country, subdiv=subdivision)
