"""Splits templates into text and expressions."""

from __future__ import annotations

import re
from typing import Final

from oneo.errors import ExpressionError
from oneo.expressions.lexer import Lexeme, Lexer

_OPENING: Final = re.compile(r"\{\{|\{%[-+]?\s*[A-Za-z]|\{#")

Part = str | list[Lexeme]
"""A piece of a template: text, or the tokens of an expression."""


def split_template(source: str) -> list[Part]:
    """The texts and expressions of a template, in order; comments `{# … #}` are dropped."""
    parts: list[Part] = []
    position = 0
    while found := _OPENING.search(source, position):
        start = found.start()
        if start > position:
            parts.append(source[position:start])
        if found[0] == "{{":
            lexer = Lexer(source, start + 2, len(source))
            parts.append(lexer.until_closed(start))
            position = lexer.position
        elif found[0] == "{#":
            end = source.find("#}", start + 2)
            if end < 0:
                parts.append("{#")
            position = end + 2 if end >= 0 else start + 2
        else:
            raise ExpressionError(
                "statements such as {% if %} are not available",
                start,
                "write {{ a if condition else b }}, or use a condition or loop node; {{ '{%' }} gives the characters",
            )
    if position < len(source):
        parts.append(source[position:])
    return parts
