"""What a condition in JavaScript is made of: its tokens, and the texts they stand for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

_SPACE: Final = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"(?P<template>\{\{.*?\}\})"
    r"|(?P<number>0[xX][\da-fA-F]+|(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<literal>`(?:[^`\\]|\\.)*`)"
    r"|(?P<sign>===|!==|==|!=|<=|>=|=>|&&|\|\||\?\?|\?\.(?!\d)|[-+*/%<>!()\[\].,?:=])",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class NotTranslatableError(ValueError):
    """Part of a condition has no counterpart here; the message says which."""


@dataclass(frozen=True)
class Token:
    """One token.

    Attributes:
        kind: `template`, `number`, `name`, `string`, `literal` (in backticks), `sign` or `end`.
    """

    kind: str
    text: str


def tokens_of(source: str) -> list[Token]:
    """The tokens of a condition, and one for its end; white space and comments are left out."""
    tokens, position, end = [], 0, len(source.rstrip().rstrip(";").rstrip())
    while True:
        position = _end_of_space(source, position, end)
        if position >= end:
            break
        match = _TOKEN.match(source, position, end)
        if match is None:
            raise NotTranslatableError(f"{source[position:end].strip()[:20]!r} cannot be read")
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind]))
        position = match.end()
    return [*tokens, Token("end", "the end")]


def _end_of_space(source: str, position: int, end: int) -> int:
    """Where white space and comments end."""
    match = _SPACE.match(source, position, end)
    return match.end() if match else position


def number_of(token: Token) -> float:
    """The number that a token of that kind stands for; infinite where it is out of range."""
    text = token.text.replace("_", "")
    try:
        return float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)
    except OverflowError:
        return math.inf


def unescaped(raw: str) -> str:
    """The text that a quoted text stands for."""
    text = _ESCAPE.sub(_character, raw)
    try:
        # Two escapes may stand for one character beyond U+FFFF.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError:
        raise NotTranslatableError(f"{raw[:20]!r} holds half a character") from None


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return _ESCAPED.get(found[4], found[4])
    number = int(code, 16)
    if number > 0x10FFFF:
        raise NotTranslatableError(f"{found[0]} is no character")
    return chr(number)
