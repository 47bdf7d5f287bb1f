"""Remedies for names that were misspelt."""

from __future__ import annotations

from collections.abc import Iterable

from oneo.suggest import did_you_mean


def remedy(name: str, known: Iterable[str]) -> str:
    """The nearest known name, one of about the same length before one that merely contains it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed once something is wrong

    names = [candidate for candidate in known if len(candidate) > 1] if len(name) > 1 else list(known)
    return did_you_mean(name, get_close_matches(name, names, 1, 0.7) or names)
