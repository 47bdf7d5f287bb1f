"""Functions, tests and words that do not exist, or not there, with what to write instead."""

from __future__ import annotations

from typing import Final

from oneo.errors import ExpressionError
from oneo.expressions.functions import NAMES
from oneo.expressions.predicates import TESTS
from oneo.suggest import did_you_mean

_REGEX: Final = (
    "regular expressions are not available, since their running time cannot be bounded; "
    "use contains, startswith, endswith, split or replace"
)
_INSTEAD: Final = {
    **dict.fromkeys(
        ("matches", "match", "search", "regex", "regex_extract", "regex_replace", "regex_search"), _REGEX
    ),
    **dict.fromkeys(("select", "selectattr", "filter"), "write where('field', value)"),
    **dict.fromkeys(("reject", "rejectattr"), "write where('field', value, '!=')"),
    "format": "write ~ to join texts, or date.format(…) for dates",
    "safe": "texts are never escaped unless you write | escape",
    "strftime": "write date.format(value, '%Y-%m-%d')",
}


_WORDS: Final = {
    "like": "write contains(…), startswith(…) or endswith(…)",
    "between": "write least <= x <= most",
    "equals": "write == to compare",
    "matches": _REGEX,
}


def misplaced_word(word: str) -> str | None:
    """What to write for a word that stands where an operator belongs; None where nobody knows."""
    called = f"write {word}(…, …)" if word in NAMES else None
    return _WORDS.get(word.lower(), called)


def unknown_function(name: str, position: int, *, is_filter: bool) -> ExpressionError:
    """The error about a function or filter that does not exist."""
    owner, dot, last = name.rpartition(".")
    hint = _INSTEAD.get(last)
    if hint is None and dot and owner != "date" and last in NAMES:
        hint = f"write {owner} | {last}"
    if hint is None:
        hint = did_you_mean(name, NAMES)
    return ExpressionError(f"there is no {'filter' if is_filter else 'function'} {name!r}", position, hint)


def unknown_test(name: str, position: int) -> ExpressionError:
    """The error about a test that does not exist."""
    hint = did_you_mean(name, [*TESTS, "defined", "undefined"])
    return ExpressionError(f"there is no test {name!r}", position, hint)
