"""Date patterns, by an explicit table of tokens, in English and independent of the machine's locale."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, tzinfo
from typing import Final

from oneo.errors import ExpressionError

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WRITERS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "%Y": lambda moment: f"{moment.year:04d}",
    "%y": lambda moment: f"{moment.year % 100:02d}",
    "%m": lambda moment: f"{moment.month:02d}",
    "%-m": lambda moment: str(moment.month),
    "%B": lambda moment: _MONTHS[moment.month - 1],
    "%b": lambda moment: _MONTHS[moment.month - 1][:3],
    "%d": lambda moment: f"{moment.day:02d}",
    "%-d": lambda moment: str(moment.day),
    "%A": lambda moment: _DAYS[moment.weekday()],
    "%a": lambda moment: _DAYS[moment.weekday()][:3],
    "%j": lambda moment: f"{moment.timetuple().tm_yday:03d}",
    "%H": lambda moment: f"{moment.hour:02d}",
    "%-H": lambda moment: str(moment.hour),
    "%I": lambda moment: f"{(moment.hour - 1) % 12 + 1:02d}",
    "%-I": lambda moment: str((moment.hour - 1) % 12 + 1),
    "%p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "%M": lambda moment: f"{moment.minute:02d}",
    "%-M": lambda moment: str(moment.minute),
    "%S": lambda moment: f"{moment.second:02d}",
    "%z": lambda moment: moment.isoformat()[-6:].replace(":", ""),
    "%Z": lambda moment: str(moment.tzinfo),
    "%V": lambda moment: f"{moment.isocalendar().week:02d}",
    "%%": lambda _moment: "%",
}
_LETTERS: Final = {
    "YYYY": "%Y", "yyyy": "%Y", "YY": "%y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m",
    "DD": "%d", "dd": "%d", "D": "%-d", "d": "%-d", "dddd": "%A", "ddd": "%a", "HH": "%H", "H": "%-H",
    "hh": "%I", "h": "%-I", "A": "%p", "a": "%p", "mm": "%M", "m": "%-M", "ss": "%S", "ZZ": "%z", "z": "%Z",
}  # fmt: skip
_READERS: Final[Mapping[str, tuple[str, int]]] = {
    "%Y": ("year", 4), "%m": ("month", 2), "%-m": ("month", 2), "%d": ("day", 2), "%-d": ("day", 2),
    "%H": ("hour", 2), "%-H": ("hour", 2), "%M": ("minute", 2), "%-M": ("minute", 2), "%S": ("second", 2),
}  # fmt: skip
_PLAIN: Final = frozenset("T")
_PERCENT: Final = re.compile(r"%-?.?|[^%]", re.DOTALL)
_RUNS: Final = re.compile(r"\[[^\]]*\]|([A-Za-z])\1*|.", re.DOTALL)
_HINT: Final = f"known: {' '.join(_WRITERS)}, or {' '.join(_LETTERS)}"


def format_date(moment: datetime, pattern: str) -> str:
    """A moment as the pattern says."""
    return "".join(_WRITERS[token](moment) if token in _WRITERS else token[1:] for token in _tokens(pattern))


def parse_date(value: str, pattern: str, zone: tzinfo) -> date:
    """The date, or with hours the moment, that a text in the pattern stands for."""
    fields: dict[str, int] = {}
    rest = value.strip()
    for token in _tokens(pattern):
        if token in _READERS:
            name, width = _READERS[token]
            digits = re.match(f"[0-9]{{1,{width}}}", rest)
            if digits is None:
                raise ExpressionError("the text is not a date in that pattern")
            fields[name] = int(digits[0])
            rest = rest[digits.end() :]
        elif token in _WRITERS:
            raise ExpressionError(f"cannot read {token}", hint=f"known for reading: {' '.join(_READERS)}")
        elif rest.startswith(token[1:]):
            rest = rest[len(token) - 1 :]
        else:
            raise ExpressionError("the text is not a date in that pattern")
    if rest or not {"year", "month", "day"} <= fields.keys():
        raise ExpressionError("the text is not a date in that pattern")
    try:
        day = date(fields.pop("year"), fields.pop("month"), fields.pop("day"))
        if not fields:
            return day
        clock = time(fields.get("hour", 0), fields.get("minute", 0), fields.get("second", 0), tzinfo=zone)
        return datetime.combine(day, clock)
    except ValueError as exc:
        raise ExpressionError(f"the text is no date: {exc}") from None


def _tokens(pattern: str) -> list[str]:
    """The tokens of a pattern in the spelling of strftime; other text is marked with a leading quote."""
    if len(pattern) > 200:
        raise ExpressionError("the pattern is too long")
    made = []
    if "%" in pattern:
        for token in _PERCENT.findall(pattern):
            if token in _WRITERS:
                made.append(token)
            elif token.startswith("%"):
                raise ExpressionError(f"does not know {token!r} in a date pattern", hint=_HINT)
            else:
                made.append(f"'{token}")
        return made
    for found in _RUNS.finditer(pattern):
        token = found[0]
        if token.startswith("[") and token.endswith("]"):
            made.append(f"'{token[1:-1]}")
        elif not found[1] or token in _PLAIN:
            made.append(f"'{token}")
        elif token in _LETTERS:
            made.append(_LETTERS[token])
        else:
            raise ExpressionError(f"does not know {token!r} in a date pattern", hint=_HINT)
    return made
