"""Secrets that a trigger's config names: it is read by whoever takes requests in, not by an execution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oneo.errors import ExpressionError
from oneo.expressions import is_template
from oneo_operators.services import Secrets

_REFERENCE = re.compile(r"\s*\{\{\s*secrets\.(\w+)\s*\}\}\s*")


def misspelt(options: Iterable[str]) -> str | None:
    """What is wrong with secrets of a config; None where nothing is."""
    for option in options:
        if not option.strip():
            return "a secret is empty"
        if is_template(option) and not _REFERENCE.fullmatch(option):
            return f"{option!r} is no secret: write {{{{ secrets.NAME }}}}"
    return None


def values(options: Iterable[str], secrets: Secrets) -> Sequence[str]:
    """The secrets themselves: each line of each, so that an old and a new one can hold at once.

    Those that are not there are left out, and so are empty ones. A text that is no reference is the secret itself:
    were it looked up as a name first, the name of a secret that is missing would open what the secret guards.
    """
    found: list[str] = []
    for option in options:
        reference = _REFERENCE.fullmatch(option)
        try:
            text = secrets[reference[1]] if reference else option
        except ExpressionError:
            continue
        found += filter(None, map(str.strip, text.splitlines()))
    return found
