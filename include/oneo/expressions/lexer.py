"""Splits expressions into tokens.

The tokens are those of Jinja2's parser, but where that one expects the number of a line they carry the offset of
the character: so every node of the syntax tree, and every complaint of the parser, knows its exact position.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from oneo.errors import ExpressionError

MAX_BRACKETS: Final = 30
"""Jinja2's parser takes fourteen Python frames for each level."""

_MAX_UNARY: Final = 50
_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<float>[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))"
    r"|(?P<integer>[0-9]+)"
    r"""|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"|(?P<foreign>===|!==|&&|\|\||\*\*|<>|=>|\?\?|\?\.|[!?;&^$@`](?!=))"
    r"|(?P<operator>//|==|!=|<=|>=|[-+*/%~()\[\]{}<>=.:|,])",
    re.DOTALL,
)
_INTEGER: Final = re.compile(r"[0-9]+")
_OPERATORS: Final = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "~": "tilde",
    "(": "lparen", ")": "rparen", "[": "lbracket", "]": "rbracket", "{": "lbrace", "}": "rbrace",
    "==": "eq", "!=": "ne", "<": "lt", "<=": "lteq", ">": "gt", ">=": "gteq", "=": "assign",
    ".": "dot", ":": "colon", "|": "pipe", ",": "comma",
}  # fmt: skip
_FOREIGN: Final = {
    "===": "write == to compare",
    "!==": "write != to compare",
    "<>": "write != to compare",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "**": "powers are not available; multiply instead",
    "=>": "write >= to compare; functions cannot be defined",
    "??": "write | default(…)",
    "?.": "write | default(…) behind the whole path",
    "?": "write `a if condition else b`",
    "$": "names stand without $, and texts are joined with ~",
    ";": "leave it out",
}
# Signs that word processors put, and what is meant by them.
_TYPESET: Final = {"≥": ">=", "≤": "<=", "≠": "!=", "–": "-", "—": "-", "−": "-", "×": "*", "÷": "/"}  # noqa: RUF001
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_JOINERS: Final = frozenset(("and", "or", "not", "in", "is", "if", "else"))
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}


class Lexeme(NamedTuple):
    """One token: its offset, its type in Jinja2's terms, its value."""

    position: int
    type: str
    value: str | int | float


def lex_condition(source: str) -> list[Lexeme]:
    """The tokens of a condition, in which each `{{ … }}` stands for itself in brackets.

    Outside of `{{ … }}`, a quoted text may itself contain `{{ … }}`: it is then a template that gives text, so that
    `'{{record.status}}' == 'open'` means what it says. Inside of `{{ … }}`, quoted text is just text.
    """
    return Lexer(source, 0, len(source), condition=True).to_end()


class Lexer:
    """Reads one expression from `position` on, at most to `stop`."""

    def __init__(self, source: str, position: int, stop: int, *, condition: bool = False) -> None:
        self.source = source
        self.position = position
        self.stop = stop
        self.condition = condition
        self.lexemes: list[Lexeme] = []
        self.open: list[tuple[str, int]] = []
        self.unary = 0

    def until_closed(self, start: int) -> list[Lexeme]:
        """The tokens up to the `}}` that closes the `{{` at `start`."""
        self._refuse_trimming(start)
        while self.position < self.stop:
            if not self.open and self.source.startswith("}}", self.position):
                self._emit("eof", "")
                self.position += 2
                return self.lexemes
            self._step()
        raise self._unclosed(start)

    def to_end(self) -> list[Lexeme]:
        """The tokens up to the end of the source."""
        while self.position < self.stop:
            self._step()
        if self.open:
            raise self._unclosed(self.open[-1][1])
        self._emit("eof", "")
        return self.lexemes

    def _step(self) -> None:
        if self.condition and self._braces():
            return
        found = _TOKEN.match(self.source, self.position, self.stop)
        if found is None:
            raise self._illegal()
        sort, value = str(found.lastgroup), found[0]
        if sort == "float" and self.lexemes and self.lexemes[-1].type == "dot":
            found = _INTEGER.match(self.source, self.position, self.stop)  # a.0.1 is two steps, not a number
            sort, value = "integer", found[0] if found else value
        if sort == "space":
            pass
        elif sort == "name":
            self._name(value)
        elif sort == "string":
            self._string(value)
        elif sort == "foreign":
            raise ExpressionError(f"{value!r} is not an operator here", self.position, _FOREIGN.get(value))
        elif sort == "operator":
            self._operator(value)
        else:
            self._number(sort, value)
        self.position += len(value)

    def _emit(self, sort: str, value: str | float, position: int | None = None) -> None:
        self.lexemes.append(Lexeme(self.position if position is None else position, sort, value))

    def _name(self, value: str) -> None:
        after_dot = bool(self.lexemes) and self.lexemes[-1].type == "dot"
        if after_dot:
            self.lexemes[-1] = Lexeme(self.position, "dot", ".")  # complaints about a.b point at b
        if value == "not" and not after_dot:
            self._count_unary()
        self._emit("name", "none" if value == "null" and not after_dot else value)

    def _number(self, sort: str, value: str) -> None:
        following = self.source[self.position + len(value) : self.position + len(value) + 1]
        if len(value) > 30:
            raise ExpressionError("the number is out of range", self.position, "write at most 30 digits")
        if following.isalpha() or following == "_":
            raise ExpressionError(
                f"{value + following!r} is not a number", self.position, "put texts in quotes"
            )
        number = int(value) if sort == "integer" else float(value)
        if number in (float("inf"), float("-inf")):
            raise ExpressionError("the number is out of range", self.position)
        self._emit(sort, number)

    def _string(self, value: str) -> None:
        if self.lexemes and self.lexemes[-1].type == "string":
            raise ExpressionError(
                "two texts stand next to each other",
                self.position,
                "write \\' for a quote inside a text, or ~ to join two",
            )
        if not (self.condition and "{{" in value) or self._inside_braces():
            self._emit("string", unescape(value[1:-1], self.position))
            return
        self._emit("lparen", "(")
        self._emit("string", "")
        position, end = self.position + 1, self.position + len(value) - 1
        while True:
            start = self.source.find("{{", position, end)
            stop = start if start >= 0 else end
            if stop > position:
                self._emit("tilde", "~", position)
                self._emit("string", unescape(self.source[position:stop], position), position)
            if start < 0:
                break
            inner = Lexer(self.source, start + 2, end)
            lexemes = inner.until_closed(start)
            self._emit("tilde", "~", start)
            self._emit("lparen", "(", start)
            self.lexemes += lexemes[:-1]
            self._emit("rparen", ")", inner.position - 2)
            position = inner.position
        self._emit("rparen", ")", end)

    def _operator(self, value: str) -> None:
        if value in "([{":
            self.open.append((value, self.position))
            if len(self.open) > MAX_BRACKETS:
                raise ExpressionError(
                    f"brackets are nested more than {MAX_BRACKETS} deep",
                    self.position,
                    "split the expression",
                )
        elif value in _PAIRS:
            if not self.open or self.open[-1][0] != _PAIRS[value]:
                raise ExpressionError(f"{value!r} closes nothing", self.position)
            self.open.pop()
        if value in "+-":
            self._count_unary()
        self._emit(_OPERATORS[value], value)

    def _count_unary(self) -> None:
        previous = self.lexemes[-1] if self.lexemes else None
        stacked = previous is not None and (previous.type in ("add", "sub") or previous.value == "not")
        self.unary = self.unary + 1 if stacked else 0
        if self.unary > _MAX_UNARY:
            raise ExpressionError("too many signs in a row", self.position)

    def _braces(self) -> bool:
        """In a condition, read `{{` and `}}` as brackets; whether there was one."""
        if self.source.startswith("{{", self.position) and not self._inside_braces():
            previous = self.lexemes[-1] if self.lexemes else None
            if previous is not None and (
                previous.type in ("rparen", "rbracket", "string", "integer", "float")
                or (previous.type == "name" and previous.value not in _JOINERS)
            ):
                raise ExpressionError("an operator is missing before {{", self.position, "such as == or and")
            self._emit("lparen", "(")
            self.open.append(("{{", self.position))
            self.position += 2
            self._refuse_trimming(self.position - 2)
            return True
        if self.open and self.open[-1][0] == "{{" and self.source.startswith("}}", self.position):
            self.open.pop()
            self._emit("rparen", ")")
            self.position += 2
            return True
        return False

    def _inside_braces(self) -> bool:
        return any(bracket == "{{" for bracket, _ in self.open)

    def _refuse_trimming(self, start: int) -> None:
        sign = self.source[start + 2 : start + 3]
        if sign in ("-", "+"):
            raise ExpressionError(
                f"white space control {{{{{sign} is not available",
                start,
                f"write {{{{ {sign}x }}}} for a sign",
            )

    def _unclosed(self, start: int) -> ExpressionError:
        if self.source.startswith("{{", start):
            return ExpressionError(
                "{{ is never closed", start, "close it with }}, or write {{ '{{' }} for the characters"
            )
        return ExpressionError(f"{self.source[start]!r} is never closed", start)

    def _illegal(self) -> ExpressionError:
        character = self.source[self.position]
        if character in "'\"":
            return ExpressionError("the text is never closed", self.position, f"end it with {character}")
        if character in "‘’“”„«»":  # noqa: RUF001 - the very characters that word processors put
            raise ExpressionError(
                f"{character} is not a quote here", self.position, "write straight quotes: ' or \""
            )
        if character in _TYPESET:
            return ExpressionError(
                f"{character} is not an operator here", self.position, f"write {_TYPESET[character]}"
            )
        if character.isspace():
            return ExpressionError("this white space is none here", self.position, "write a plain space")
        if not character.isascii():
            return ExpressionError(
                f"the character {character!r} cannot be part of a name",
                self.position,
                "names are made of a-z, A-Z, 0-9 and _; write record['…'] for other fields",
            )
        return ExpressionError(f"unexpected {character!r}", self.position)


def unescape(raw: str, position: int) -> str:
    """The text a quoted text stands for; unknown escapes stay as they are."""
    if "\\" not in raw:
        return raw
    try:
        made = _ESCAPE.sub(_unescape_one, raw)
        return made.encode("utf-16", "surrogatepass").decode("utf-16") if not made.isascii() else made
    except UnicodeError:
        raise ExpressionError("an escape in the text is no character", position) from None


def _unescape_one(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    return _ESCAPED.get(found[3], found[0])
