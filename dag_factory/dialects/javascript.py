"""Conditions written in JavaScript, as expressions of this product: a recursive-descent translator."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from dag_factory.dialects.javascript_values import (
    ATOM,
    BINARY,
    Value,
    called,
    combined,
    constant,
    in_parentheses,
    negated,
)

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<template>\{\{.*?\}\})|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||\?\?|\?\.|[-+*/%<>!()\[\].,?:=]))",
    re.DOTALL,
)
_DEEPEST: Final = 40
_CONSTANTS: Final = {"true": "true", "false": "false", "null": "null", "undefined": "null"}


class NotTranslatableError(ValueError):
    """Part of a condition has no counterpart here; the message says which."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def translate(source: str) -> str:
    """A JavaScript condition as an expression.

    Raises:
        NotTranslatableError: It uses something that has no counterpart.
    """
    reader = _Reader(_tokens(source))
    value = reader.expression()
    if reader.peek().kind != "end":
        raise NotTranslatableError(f"{reader.peek().text!r} is not expected here")
    return value.text


def _tokens(source: str) -> list[_Token]:
    tokens, position, end = [], 0, len(source.rstrip().rstrip(";").rstrip())
    while position < end:
        match = _TOKEN.match(source, position, end)
        if match is None:
            raise NotTranslatableError(f"{source[position:end].strip()[:20]!r} cannot be read")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind]))
        position = match.end()
    return [*tokens, _Token("end", "the end")]


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> _Token:
        return self._tokens[self._at]

    def expression(self) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotTranslatableError("it is nested too deeply")
        value = self._binary(0)
        if self._take("?"):
            yes = self.expression()
            self._expect(":")
            no = self.expression()
            parts = [in_parentheses(part, 2).text for part in (yes, value, no)]
            value = Value(f"{parts[0]} if {parts[1]} else {parts[2]}", 1)
        self._depth -= 1
        return value

    def _binary(self, least: int) -> Value:
        left = self._unary()
        while True:
            sign = self.peek()
            if sign.kind == "sign" and sign.text == "=":
                raise NotTranslatableError("= assigns; === compares")
            strength = BINARY.get(sign.text, -1) if sign.kind == "sign" else -1
            if strength <= least:
                return left
            self._at += 1
            left = combined(sign.text, left, self._binary(strength))

    def _unary(self) -> Value:
        signs = []
        while self.peek().kind == "sign" and self.peek().text in ("!", "-", "+"):
            signs.append(self._next().text)
            if len(signs) > _DEEPEST:
                raise NotTranslatableError("it is nested too deeply")
        value = self._postfix()
        for sign in reversed(signs):
            value = negated(sign, value)
        return value

    def _postfix(self) -> Value:
        value = self._atom()
        while True:
            if self._take(".") or self._take("?."):
                value = self._member(value, self._name())
            elif self._take("["):
                index = self.expression()
                self._expect("]")
                value = Value(
                    f"{in_parentheses(value, ATOM).text}[{index.text}]", ATOM, is_path=value.is_path
                )
            elif self.peek() == _Token("sign", "("):
                raise NotTranslatableError(f"there is no function {value.text!r}")
            else:
                return value

    def _member(self, owner: Value, name: str) -> Value:
        if self._take("("):
            arguments = self._arguments()
            result = called(owner, name, arguments)
            if result is None:
                raise NotTranslatableError(f"there is no counterpart of .{name}()")
            return result
        if name == "length":
            return Value(f"length({owner.text})", ATOM)
        return Value(f"{in_parentheses(owner, ATOM).text}.{name}", ATOM, is_path=owner.is_path)

    def _arguments(self) -> list[Value]:
        found: list[Value] = []
        while not self._take(")"):
            if found:
                self._expect(",")
            found.append(self.expression())
        return found

    def _atom(self) -> Value:
        token = self._next()
        if token.kind == "number":
            return constant(float(token.text))
        if token.kind == "string":
            text = re.sub(r"\\(['\"\\])", r"\1", token.text[1:-1])
            return Value(json.dumps(text, ensure_ascii=False), ATOM)
        if token.kind == "template":
            inner = token.text[2:-2].strip()
            plain = re.fullmatch(r"[\w.]+", inner)
            return Value(inner if plain else f"({inner})", ATOM, is_path=bool(plain))
        if token == _Token("sign", "("):
            value = self.expression()
            self._expect(")")
            return value
        if token.kind != "name":
            raise NotTranslatableError(f"{token.text!r} is not expected here")
        return self._named(token.text)

    def _named(self, name: str) -> Value:
        if name in _CONSTANTS:
            return Value(_CONSTANTS[name], ATOM, is_null=_CONSTANTS[name] == "null")
        if name == "new":
            if self._name() != "Date":
                raise NotTranslatableError("only dates can be made with new")
            arguments = self._arguments() if self._take("(") else []
            if not arguments:
                return Value("now", ATOM, is_date=True, shift=0.0)
            return Value(f"date.parse({arguments[0].text})", ATOM, is_date=True)
        if name == "Date" and self._take("."):
            if self._name() != "now" or not self._take("("):
                raise NotTranslatableError("of Date only now() has a counterpart")
            self._expect(")")
            return Value("now", ATOM, is_date=True, shift=0.0)
        if name in ("typeof", "instanceof", "in", "function", "await", "void", "delete"):
            raise NotTranslatableError(f"there is no counterpart of {name}")
        return Value(name, ATOM, is_path=True)

    def _next(self) -> _Token:
        token = self.peek()
        self._at += token.kind != "end"
        return token

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise NotTranslatableError(f"a name is expected, not {token.text!r}")
        return token.text

    def _take(self, sign: str) -> bool:
        found = self.peek() == _Token("sign", sign)
        self._at += found
        return found

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise NotTranslatableError(f"{sign!r} is expected before {self.peek().text!r}")
