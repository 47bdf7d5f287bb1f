"""Conditions written in JavaScript, as expressions of this product: a recursive-descent translator."""

from __future__ import annotations

import re
from typing import Final

from dag_factory.dialects.javascript_calls import of_function, of_method, of_property, of_type
from dag_factory.dialects.javascript_tokens import (
    NotTranslatableError,
    Token,
    number_of,
    tokens_of,
    unescaped,
)
from dag_factory.dialects.javascript_values import (
    ATOM,
    BINARY,
    Value,
    as_condition,
    combined,
    constant,
    in_parentheses,
    joined,
    negated,
    quoted,
)

_FILLED: Final = re.compile(r"\$\{([^{}`]*)\}")
_OBJECTS: Final = frozenset({"Math", "Array", "Object"})
_DEEPEST: Final = 40
_LONGEST: Final = 10_000
_CONSTANTS: Final = {"true": "true", "false": "false", "null": "null", "undefined": "null"}


def translate(source: str) -> str:
    """A JavaScript condition as an expression.

    Raises:
        NotTranslatableError: It uses something that has no counterpart.
    """
    if len(source) > _LONGEST:
        raise NotTranslatableError(f"it is longer than {_LONGEST:,} characters")
    reader = _Reader(tokens_of(source))
    value = reader.expression()
    if reader.peek().kind != "end":
        raise NotTranslatableError(f"{reader.peek().text!r} is not expected here")
    return as_condition(value).text


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> Token:
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
            parts = [in_parentheses(part, 2).text for part in (yes, as_condition(value), no)]
            value = Value(f"{parts[0]} if {parts[1]} else {parts[2]}", 1)
        self._depth -= 1
        return value

    def _binary(self, least: int) -> Value:
        left = self._unary()
        while True:
            sign = self.peek()
            if sign.kind == "sign" and sign.text == "=":
                raise NotTranslatableError("= assigns; === compares")
            if sign.kind == "sign" and sign.text == "=>":
                raise NotTranslatableError("=> defines a function, and conditions have none of their own")
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
        value, may_end = self._atom(), False
        while True:
            optional = self._take("?.")
            may_end |= optional
            if self._take("["):
                value = self._item(value)
            elif optional or self._take("."):
                value = self._member(value, self._name())
            elif self.peek() == Token("sign", "("):
                raise NotTranslatableError(f"there is no function {value.text!r}")
            elif may_end:
                # What is missing on the way ends the path there; here it would be an error.
                return Value(f"default({value.text}, null)", ATOM)
            else:
                return value

    def _item(self, owner: Value) -> Value:
        index = self.expression()
        self._expect("]")
        if index == quoted("length"):
            return of_property(owner, "length")
        text = f"{in_parentheses(owner, ATOM).text}[{index.text}]"
        return Value(text, ATOM, is_path=owner.is_path, is_member=owner.is_path)

    def _member(self, owner: Value, name: str) -> Value:
        if not self._take("("):
            return of_property(owner, name)
        arguments = self._arguments()
        result = of_method(owner, name, arguments)
        if result is None:
            raise NotTranslatableError(
                f"there is no counterpart of .{name}() with {len(arguments)} argument(s)"
            )
        return result

    def _function(self, name: str) -> Value:
        arguments = self._arguments()
        result = of_function(name, arguments)
        if result is None:
            raise NotTranslatableError(f"there is no function {name!r} with {len(arguments)} argument(s)")
        return result

    def _arguments(self, end: str = ")") -> list[Value]:
        found: list[Value] = []
        while not self._take(end):
            if found:
                self._expect(",")
            found.append(self.expression())
        return found

    def _atom(self) -> Value:
        token = self._next()
        if token.kind == "number":
            return constant(number_of(token))
        if token.kind == "string":
            return quoted(unescaped(token.text[1:-1]))
        if token.kind == "literal":
            return self._literal(token.text[1:-1])
        if token.kind == "template":
            inner = token.text[2:-2].strip()
            plain = re.fullmatch(r"[\w.]+", inner)
            return Value(inner if plain else f"({inner})", ATOM, is_path=bool(plain))
        if token == Token("sign", "("):
            value = self.expression()
            self._expect(")")
            return value
        if token == Token("sign", "["):
            return Value("[" + ", ".join(item.text for item in self._arguments("]")) + "]", ATOM)
        if token.kind != "name":
            raise NotTranslatableError(f"{token.text!r} is not expected here")
        return self._named(token.text)

    def _named(self, name: str) -> Value:
        if name in _CONSTANTS:
            return Value(_CONSTANTS[name], ATOM, is_null=_CONSTANTS[name] == "null")
        if name == "new":
            if self._name() != "Date":
                raise NotTranslatableError("only dates can be made with new")
            return self._date(self._arguments() if self._take("(") else [])
        if name == "Date" and self._take("."):
            return self._of_date(self._name())
        if name in _OBJECTS and self._take("."):
            name = f"{name}.{self._name()}"
            self._expect("(")
            return self._function(name)
        if name == "typeof":
            return self._type()
        if name in ("instanceof", "in", "function", "await", "void", "delete"):
            raise NotTranslatableError(f"there is no counterpart of {name}")
        return self._function(name) if self._take("(") else Value(name, ATOM, is_path=True)

    def _date(self, arguments: list[Value]) -> Value:
        """A moment that is made with `new Date(…)`."""
        if not arguments:
            return Value("now", ATOM, is_date=True, shift=0.0)
        if len(arguments) > 1 or arguments[0].number is not None:
            raise NotTranslatableError("a date is written as a text: new Date('2026-01-31')")
        (given,) = arguments
        return given if given.is_date else Value(f"date.parse({given.text})", ATOM, is_date=True)

    def _of_date(self, name: str) -> Value:
        """What a function of Date gives."""
        arguments = self._arguments() if self._take("(") else None
        if name == "now" and arguments == []:
            return self._date([])
        if name == "parse" and arguments:
            return self._date(arguments)
        raise NotTranslatableError("of Date only now() and parse() have a counterpart")

    def _type(self) -> Value:
        """A comparison with the type of a value."""
        value, sign, name = self._unary(), self._next(), self._next()
        equal, unequal = ("===", "=="), ("!==", "!=")
        if sign.kind == "sign" and sign.text in (*equal, *unequal) and name.kind == "string":
            found = of_type(value, name.text[1:-1], wanted=sign.text in equal)
            if found is not None:
                return found
        raise NotTranslatableError("of typeof only comparisons with a type's name have a counterpart")

    def _literal(self, raw: str) -> Value:
        """A text with values in it: `Dear ${lead.name}`."""
        pieces = _FILLED.split(raw)
        parts: list[Value] = []
        for place, piece in enumerate(pieces):
            if place % 2:
                inner = _Reader(tokens_of(piece))
                parts.append(inner.expression())
                if inner.peek().kind != "end":
                    raise NotTranslatableError(f"{inner.peek().text!r} is not expected here")
            elif "${" in piece.replace("\\$", ""):
                raise NotTranslatableError("in ${…} stand no braces and no further texts in backticks")
            elif piece:
                parts.append(quoted(unescaped(piece)))
        return joined(parts or [quoted("")])

    def _next(self) -> Token:
        token = self.peek()
        self._at += token.kind != "end"
        return token

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise NotTranslatableError(f"a name is expected, not {token.text!r}")
        return token.text

    def _take(self, sign: str) -> bool:
        found = self.peek() == Token("sign", sign)
        self._at += found
        return found

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise NotTranslatableError(f"{sign!r} is expected before {self.peek().text!r}")
