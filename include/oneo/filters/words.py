"""`$search`: the words of a text, to be found in whatever case and order.

A word is letters and digits in a row. The same patterns look for it in memory and in SQL. They stand for a text index
in the way of PostgreSQL's `simple` configuration, which row-level security would keep from being used: its operator
is not leakproof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from oneo.errors import UserError
from oneo.filters.pattern import Pattern, literal, one_of

MAX_WORDS = 20
_MAX_LENGTH = 100
# What parts words: ASCII without letters and digits, the signs of Latin-1, and the blocks of punctuation beyond.
_BETWEEN = [
    (0x01, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0xA9), (0xAB, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7),
    (0xF7, 0xF7), (0x2000, 0x206F), (0x3000, 0x3004), (0x3008, 0x3020), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20),
]  # fmt: skip
_PARTS = re.compile(
    "[" + "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in _BETWEEN) + "]+"
)
_GAP = one_of(_BETWEEN)


@dataclass(frozen=True, slots=True)
class Word:
    """A word to look for.

    Attributes:
        inside: Its letters, wherever they stand.
        whole: The word as such.
    """

    inside: Pattern
    whole: Pattern


@lru_cache(maxsize=256)
def words(text: str) -> tuple[Word, ...]:
    """Each word of the text, once.

    Raises:
        UserError: It has none, too many, or one that is too long.
    """
    found = [word for word in dict.fromkeys(_PARTS.split(text)) if word]
    if not 1 <= len(found) <= MAX_WORDS or max(map(len, found)) > _MAX_LENGTH:
        raise UserError(
            "the text to search for has no word, too many or too long ones",
            hint=f"1 to {MAX_WORDS} words of letters and digits, each of at most {_MAX_LENGTH}",
        )
    return tuple(Word(inside, _whole(inside)) for inside in map(literal, found))


def _whole(word: Pattern) -> Pattern:
    return Pattern(
        f"(?:\\A|{_GAP.re2}){word.re2}(?:\\z|{_GAP.re2})", f"(?:\\A|{_GAP.sql}){word.sql}(?:\\Z|{_GAP.sql})"
    )


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, however deep; names of fields are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from texts_in(held)
    elif isinstance(value, list):
        for held in value:
            yield from texts_in(held)
