"""Jinja2's parser, fed with our tokens. Nothing else of Jinja2 is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from oneo.errors import ExpressionError
from oneo.expressions.lexer import Lexeme
from oneo.expressions.vocabulary import misplaced_word

_ENVIRONMENT: Final = Environment()  # noqa: S701 - only its parser is used; nothing is rendered
_UPPER: Final = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "IS": "is", "IF": "if", "ELSE": "else"}


class _ExpressionParser(Parser):
    """Jinja2's parser over tokens that are already there."""

    def __init__(self, lexemes: list[Lexeme]) -> None:
        super().__init__(_ENVIRONMENT, "")
        self.stream = TokenStream(_tokens(lexemes), None, None)


def _tokens(lexemes: list[Lexeme]) -> Iterator[Token]:
    for lexeme in lexemes:
        # Numbers and texts arrive converted, as they would from Jinja2's own lexer.
        yield Token(lexeme.position, lexeme.type, lexeme.value)  # type: ignore[arg-type]


def parse(lexemes: list[Lexeme]) -> nodes.Expr:
    """The syntax tree of one expression; its line numbers are offsets into the source."""
    if lexemes[0].type == "eof":
        raise ExpressionError(
            "there is no expression", lexemes[0].position, "write a name, such as record.name"
        )
    parser = _ExpressionParser(lexemes)
    try:
        tree = parser.parse_expression()
    except TemplateSyntaxError as exc:
        raise _syntax_error(parser.stream.current, lexemes[-1].position) from exc
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", hint="split it") from None
    current = parser.stream.current
    if current.type != "eof":
        raise _syntax_error(current, lexemes[-1].position)
    return tree


def _syntax_error(token: Token, end: int) -> ExpressionError:
    if token.type == "eof":
        return ExpressionError("the expression ends too early", end)
    value = str(token.value)
    hint = None
    if token.type == "assign":
        hint = "write == to compare"
    elif value in _UPPER:
        hint = f"write {_UPPER[value]} in small letters"
    elif token.type == "name" and (instead := misplaced_word(value)):
        hint = instead
    elif token.type in ("name", "string", "integer", "float", "lparen", "lbracket", "lbrace"):
        hint = "an operator may be missing before it, and texts need quotes"
    elif token.type == "rbrace":
        hint = "expressions stand in two braces, and objects are written {'name': value}"
    elif token.type == "colon":
        hint = "write `a if condition else b` for a choice"
    return ExpressionError(f"unexpected {value!r}", token.lineno, hint)
