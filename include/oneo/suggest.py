"""The nearest known name, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, cutoff: float = 60.0) -> str | None:
    """The known name most similar to `name`, or None where nothing is similar.

    Args:
        name: What was written.
        known: What could have been meant.
        cutoff: Similarity below which nothing is suggested, 0 to 100 (rapidfuzz's WRatio).
    """
    from rapidfuzz import fuzz, process, utils  # noqa: PLC0415 - only needed once something is wrong

    match = process.extractOne(
        name, list(known), scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=cutoff
    )
    return str(match[0]) if match else None


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
