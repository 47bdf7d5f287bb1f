"""Text functions. None takes a regular expression."""

from __future__ import annotations

import html
import unicodedata
from typing import Any
from urllib.parse import quote

from oneo.errors import ExpressionError
from oneo.expressions.functions.registry import function, need_list, need_text, need_whole
from oneo.expressions.run import Run


@function("lower", examples=(("'ABC' | lower", "abc"),))
def lower(run: Run, value: Any) -> str:
    """The text in small letters."""
    return need_text(run, value).lower()


@function("upper", examples=(("'abc' | upper", "ABC"),))
def upper(run: Run, value: Any) -> str:
    """The text in capital letters."""
    return need_text(run, value).upper()


@function("title", examples=(("'ann o\\'brien-smith' | title", "Ann O'brien-Smith"),))
def title(run: Run, value: Any) -> str:
    """The text with each word capitalised."""
    made, inside = [], False
    for character in need_text(run, value):
        made.append(character.lower() if inside else character.title())
        inside = character.isalnum() or (inside and character in "'’")  # noqa: RUF001 - also the typographic one
    return "".join(made)


@function("capitalize", examples=(("'hello THERE' | capitalize", "Hello there"),))
def capitalize(run: Run, value: Any) -> str:
    """The text with its first letter in capital and the others small."""
    return need_text(run, value).capitalize()


@function("trim", "strip", examples=(("'  a b ' | trim", "a b"),))
def trim(run: Run, value: Any) -> str:
    """The text without white space around it."""
    return need_text(run, value).strip()


@function("string", "text", "str", examples=(("5 | string ~ '!'", "5!"),))
def string(run: Run, value: Any) -> str:
    """The value as text, as it would show within text."""
    return run.text(value)


@function(
    "replace", examples=(("'a-b-c' | replace('-', '+')", "a+b+c"), ("'a-b-c' | replace('-', '', 1)", "ab-c"))
)
def replace(run: Run, value: Any, old: Any, new: Any, count: Any = -1) -> str:
    """The text with `old` replaced by `new` everywhere, or the first `count` times."""
    whole, sought, put = need_text(run, value), need_text(run, old), need_text(run, new)
    if not sought:
        raise ExpressionError("needs a text to look for")
    times = whole.count(sought)
    limit = need_whole(count, least=-1)
    times = times if limit < 0 else min(times, limit)
    run.fits_text(len(whole) + times * (len(put) - len(sought)))
    return whole.replace(sought, put, times)


@function("split", examples=(("'a, b' | split(', ')", '["a","b"]'), ("'a  b' | split", '["a","b"]')))
def split(run: Run, value: Any, separator: Any = None, limit: Any = -1) -> list[str]:
    """The parts of a text, split at the separator or else at white space."""
    whole, most = need_text(run, value), need_whole(limit, least=-1)
    mark = None if separator is None else need_text(run, separator)
    if mark == "":
        raise ExpressionError("needs a separator that is not empty")
    run.fits_items(whole.count(mark) + 1 if mark is not None else len(whole) // 2 + 1)
    made = whole.split(mark, most)
    run.spend(len(made))
    return made


@function("join", examples=(("['a', 1, none] | join(', ')", "a, 1, "),))
def join(run: Run, value: Any, separator: Any = "") -> str:
    """The items of a list as one text."""
    parts = [run.text(part) for part in need_list(run, value)]
    mark = need_text(run, separator)
    run.fits_text(sum(len(part) for part in parts) + len(mark) * max(len(parts) - 1, 0))
    return mark.join(parts)


@function(
    "truncate", examples=(("'a long story' | truncate(7)", "a long…"), ("'short' | truncate(7)", "short"))
)
def truncate(run: Run, value: Any, length: Any = 255, ending: Any = "…") -> str:
    """The text cut to a length, the ending included; shorter texts stay as they are."""
    whole, most, mark = need_text(run, value), need_whole(length, least=0), need_text(run, ending)
    return whole if len(whole) <= most else whole[: max(most - len(mark), 0)].rstrip() + mark[:most]


@function("startswith", "starts_with", examples=(("'abc' | startswith('ab')", "true"),))
def startswith(run: Run, value: Any, start: Any) -> bool:
    """Whether a text starts with another."""
    return need_text(run, value).startswith(need_text(run, start))


@function("endswith", "ends_with", examples=(("'abc' | endswith('bc')", "true"),))
def endswith(run: Run, value: Any, end: Any) -> bool:
    """Whether a text ends with another."""
    return need_text(run, value).endswith(need_text(run, end))


@function(
    "slug",
    "slugify",
    examples=(
        ("'Café & Bar, Zürich' | slug", "cafe-bar-zurich"),
        ("'Große Straße' | slug", "grosse-strasse"),
    ),
)
def slug(run: Run, value: Any) -> str:
    """The text in small ASCII letters, digits and hyphens, as for addresses of web pages."""
    plain = unicodedata.normalize("NFKD", need_text(run, value).casefold()).encode("ascii", "ignore").decode()
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


@function("escape", "e", "escape_html", examples=(("'<b>' | escape", "&lt;b&gt;"),))
def escape(run: Run, value: Any) -> str:
    """The text with <, >, & and quotes written so that HTML shows them."""
    whole = need_text(run, value)
    run.fits_text(len(whole) + 5 * sum(whole.count(mark) for mark in "<>&'\""))
    return html.escape(whole)


@function("url_encode", "urlencode", examples=(("'a b&c' | url_encode", "a%20b%26c"),))
def url_encode(run: Run, value: Any) -> str:
    """The text as part of a web address."""
    made = quote(need_text(run, value), safe="")
    run.fits_text(len(made))
    return made


@function("pad_start", examples=(("7 | pad_start(3, '0')", "007"),))
def pad_start(run: Run, value: Any, length: Any, fill: Any = " ") -> str:
    """The text filled up at its start to a length."""
    width, mark = need_whole(length, least=0), need_text(run, fill)
    run.fits_text(width)
    if len(mark) != 1:
        raise ExpressionError("needs one character to fill with")
    return need_text(run, value).rjust(width, mark)
