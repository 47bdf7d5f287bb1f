"""Words and phrases looked for in what people write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def first_in(text: str, phrases: Iterable[str]) -> str | None:
    """The first phrase that stands in the text, as whole words and in whatever case; None where none does."""
    return next((phrase for phrase in phrases if _pattern(phrase).search(text)), None)


@lru_cache(maxsize=1024)
def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
