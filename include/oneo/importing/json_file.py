"""A JSON file as rows: one object per line, or an array of objects; read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from oneo.errors import UserError
from oneo.importing.source import MAX_CELL, Row, unreadable

_PIECE = 1 << 16
_BLANK = " \t\r\n"


class JsonSource:
    """An open file of JSON objects; its columns are the keys of all of them, in the order of their appearance.

    Args:
        path: The file, for messages.
        text: Its text, at the beginning.

    Raises:
        UserError: It holds anything else than objects.
    """

    def __init__(self, path: Path, text: TextIO) -> None:
        self._path = path
        self._text = text
        self._decoder = json.JSONDecoder(parse_constant=_refuse)
        names: dict[str, None] = {}
        for _, entry in self._entries():
            names.update(dict.fromkeys(entry))
        self.header = list(names)
        if not names:
            raise UserError(f"{path} holds no objects", hint='write one per line, e.g. {"name": "Anna"}')

    def rows(self) -> Iterator[Row]:
        """The objects that are not empty; a key that is missing is an empty cell."""
        for line, entry in self._entries():
            if entry:
                yield Row(line, [entry.get(name) for name in self.header])

    def _entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._text.seek(0)
        try:
            yield from self._array() if self._is_array() else self._lines()
        except UnicodeDecodeError:
            raise UserError(f"{self._path} is not UTF-8 text", hint="save it as UTF-8") from None

    def _is_array(self) -> bool:
        """Whether the file is one array; the text is at its beginning afterwards."""
        first = " "
        while first and first in _BLANK:
            first = self._text.read(1)
        self._text.seek(0)
        return first == "["

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(iter(self._text.readline, ""), 1):
            if line.strip():
                try:
                    value = self._decoder.decode(line)
                except (ValueError, RecursionError) as error:
                    raise self._broken(f"line {number}", error) from None
                yield number, self._object(f"line {number}", value)

    def _array(self) -> Iterator[tuple[int, dict[str, Any]]]:
        rest = self._text.read(_PIECE).lstrip(_BLANK)[1:]
        number = 0
        while True:
            rest = self._filled(rest.lstrip(_BLANK))
            if rest.startswith("]"):
                return
            if number:
                if not rest.startswith(","):
                    raise self._broken(f"after entry {number}", ValueError("expected , or ]"))
                rest = self._filled(rest[1:].lstrip(_BLANK))
            number += 1
            value, rest = self._next(number, rest)
            yield number, self._object(f"entry {number}", value)

    def _next(self, number: int, rest: str) -> tuple[Any, str]:
        """The value at the beginning of `rest`, and what follows it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(rest)
                return value, rest[end:]
            except (ValueError, RecursionError) as error:
                more = self._text.read(_PIECE) if len(rest) < MAX_CELL else ""
                if not more:
                    raise self._broken(f"entry {number}", error) from None
                rest += more

    def _filled(self, rest: str) -> str:
        """`rest`, or where it is used up the file's next piece that is not blank."""
        while not rest and (more := self._text.read(_PIECE)):
            rest = more.lstrip(_BLANK)
        return rest

    def _object(self, place: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._broken(place, ValueError("a record is an object"))
        return value

    def _broken(self, place: str, error: Exception) -> UserError:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return UserError(
            f"{self._path}, {place}: {reason}", hint="write one object per line, or one array of objects"
        )


def open_json(path: Path, stack: ExitStack) -> JsonSource:
    """Open a file of JSON lines or a JSON array until the stack closes.

    Raises:
        UserError: It cannot be opened, or is none.
    """
    try:
        text = stack.enter_context(path.open(encoding="utf-8-sig"))
    except OSError as error:
        raise unreadable(path, error) from None
    return JsonSource(path, text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
