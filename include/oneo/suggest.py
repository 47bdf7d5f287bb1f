"""The nearest known name, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, cutoff: float = 60.0) -> str | None:
    """The known name most similar to `name`, or None where nothing is similar.

    A name of about the same length (`scor`, `score`) comes before one that merely contains it (`score_text`).

    Args:
        name: What was written.
        known: What could have been meant.
        cutoff: Similarity below which nothing is suggested, 0 to 100 (rapidfuzz).
    """
    from rapidfuzz import fuzz, process, utils  # noqa: PLC0415 - only needed once something is wrong

    # A single letter is similar to everything that contains it.
    names = [one for one in known if len(one) > 1 or len(name) == 1]
    for scorer, least in ((fuzz.ratio, 70.0), (fuzz.WRatio, cutoff)):
        match = process.extractOne(
            name, names, scorer=scorer, processor=utils.default_process, score_cutoff=least
        )
        if match:
            return str(match[0])
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the nearest one, or all of them where nothing is near."""
    choices = sorted(set(known))
    best = nearest(name, choices)
    if best is not None:
        return f"did you mean {best!r}?"
    if not choices:
        return "nothing is known here"
    shown = ", ".join(choices[:12])
    return f"known: {shown}" + (", …" if len(choices) > 12 else "")
