"""A CSV file as rows with the lines they start on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from oneo.errors import UserError
from oneo.importing.source import MAX_CELL, Row, unreadable

# Comma first; the others where the header has no comma, as spreadsheets of other countries write it.
_DELIMITERS = (",", ";", "\t")


class CsvSource:
    """An open CSV file with a header line.

    Args:
        path: The file, for messages.
        text: Its text, at the beginning.

    Raises:
        UserError: There is no header, or no file of text.
    """

    def __init__(self, path: Path, text: TextIO) -> None:
        csv.field_size_limit(MAX_CELL)
        self._path = path
        self._text = text
        for self._delimiter in _DELIMITERS:
            self.header = [name.strip() for name in next(self._lines(), (0, []))[1]]
            if len(self.header) > 1:
                break
        else:
            self._delimiter = _DELIMITERS[0]
        if not any(self.header):
            raise UserError(f"{path} has no header line", hint="the first line names the columns")

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, each with the line it starts on.

        Raises:
            UserError: The file cannot be read any further.
        """
        lines = self._lines()
        next(lines)
        for line, cells in lines:
            if any(cell.strip() for cell in cells):
                whole = self._unquoted(cells)
                yield Row(line, whole, repaired=whole is not cells)

    def _unquoted(self, cells: list[str]) -> list[str]:
        """A row that a careless program quoted as a whole, as the row it is; any other row as it stands.

        Only where nothing else can be meant: one cell in a wider file, which read as a row has the header's width.
        """
        if len(cells) != 1 or len(self.header) == 1:
            return cells
        try:
            inner = next(csv.reader([cells[0]], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return cells
        return inner if len(inner) == len(self.header) else cells

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        self._text.seek(0)
        reader = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UserError(
                    f"{self._path}, line {start}: {error}", hint="check quotes and line ends"
                ) from None
            except UnicodeDecodeError:
                raise UserError(
                    f"{self._path}, line {_undecodable(self._path)} is not UTF-8 text",
                    hint="save it as CSV UTF-8",
                ) from None
            yield start, cells


def open_csv(path: Path, stack: ExitStack) -> CsvSource:
    """Open a CSV file until the stack closes.

    Raises:
        UserError: It cannot be opened, or is none.
    """
    try:
        text = stack.enter_context(path.open(newline="", encoding="utf-8-sig"))
    except OSError as error:
        raise unreadable(path, error) from None
    if not text.seekable():
        raise UserError(f"{path} can be read only once", hint="save it as a file first")
    return CsvSource(path, text)


def _undecodable(path: Path) -> int:
    """Number of the first line that is not UTF-8; the decoder itself is whole blocks ahead."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
