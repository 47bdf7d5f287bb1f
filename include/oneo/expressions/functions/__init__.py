"""The table of functions and filters; `x | upper` and `upper(x)` are the same entry."""

from __future__ import annotations

from oneo.expressions.functions import dates as _dates
from oneo.expressions.functions import general as _general
from oneo.expressions.functions import lists as _lists
from oneo.expressions.functions import numbers as _numbers
from oneo.expressions.functions import text as _text
from oneo.expressions.functions.registry import TABLE, Entry, FunctionDoc, Parameter

__all__ = ["NAMES", "Entry", "FunctionDoc", "Parameter", "find", "reference"]

_TOPICS = (_general, _text, _numbers, _lists, _dates)
NAMES = frozenset(TABLE)


def find(name: str) -> Entry | None:
    """The entry of that name, or None."""
    return TABLE.get(name)


def reference() -> list[FunctionDoc]:
    """Every function once, by topic, then name."""
    order = [topic.__name__.rpartition(".")[2] for topic in _TOPICS]
    entries = {id(entry): entry.doc for entry in TABLE.values()}
    return sorted(entries.values(), key=lambda doc: (order.index(doc.topic), doc.name))
