"""Zones, times of day and spans of time as options of a node: what none is, is refused when the workflow is saved."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{value!r} is no time zone; write an IANA name such as Europe/Berlin or America/New_York"
        ) from None
    return value


def _time_of_day(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is no time of day; write hours and minutes, e.g. 09:00 or 17:30")
    return value


def _span(value: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,5}[smhd]", value):
        raise ValueError(f"{value!r} is no span of time; write a number and s, m, h or d, e.g. 30s, 1m or 2h")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Span = Annotated[str, AfterValidator(_span)]


def span(value: str) -> timedelta:
    """A `Span` as a timedelta."""
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
