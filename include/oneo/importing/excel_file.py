"""A sheet of an Excel workbook as rows, read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES

from oneo.errors import UserError
from oneo.importing.source import Row, unreadable
from oneo.suggest import did_you_mean


class ExcelSource:
    """An open sheet; its first row that is not empty names the columns.

    A title that is merged over several columns names each of them: `Address`, `Address 2`.

    Args:
        path: The file, for messages.
        sheet: The sheet, of a workbook that is open for reading only.

    Raises:
        UserError: The sheet is empty.
    """

    def __init__(self, path: Path, sheet: Any) -> None:
        self._sheet = sheet
        # Programs write wrong dimensions, by which rows would be cut off.
        sheet.reset_dimensions()
        found = next(self._filled(), None)
        if found is None:
            raise UserError(
                f"sheet {sheet.title!r} of {path} is empty", hint="its first row names the columns"
            )
        self._start, titles = found
        self.header = _titles(titles)

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, as wide as the header where they hold nothing beyond."""
        width = len(self.header)
        for line, filled in self._filled():
            if line > self._start:
                cells = filled + [None] * (width - len(filled))
                errors = [
                    f"{name}: the sheet shows the error {cell}"
                    for name, cell in zip(self.header, cells, strict=False)
                    if cell in ERROR_CODES
                ]
                yield Row(line, cells, problem="; ".join(errors) or None)

    def _filled(self) -> Iterator[tuple[int, list[Any]]]:
        """Numbers and cells of the rows that are not empty, without the empty cells at their ends."""
        for number, cells in enumerate(self._sheet.iter_rows(values_only=True), 1):
            width = len(cells)
            while width and _is_empty(cells[width - 1]):
                width -= 1
            if width:
                yield number, list(cells[:width])


def open_excel(path: Path, stack: ExitStack, name: str | None) -> ExcelSource:
    """Open a sheet of a workbook until the stack closes; formulas are their last results.

    Raises:
        UserError: It cannot be opened, is no workbook, or which sheet is meant is open.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except OSError as error:
        raise unreadable(path, error) from None
    except (BadZipFile, KeyError, ValueError):
        raise UserError(f"{path} is no Excel workbook", hint="save it as .xlsx or CSV UTF-8") from None
    stack.callback(book.close)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is None and len(sheets) > 1:
        raise UserError(f"{path} has {len(sheets)} sheets: {', '.join(sheets)}", hint="choose one by --sheet")
    if name is not None and name not in sheets:
        raise UserError(f"{path} has no sheet {name!r}", hint=did_you_mean(name, list(sheets)))
    return ExcelSource(path, sheets[name] if name is not None else next(iter(sheets.values())))


def _titles(cells: Sequence[Any]) -> list[str]:
    titles: list[str] = []
    last, width = "", 1
    for cell in cells:
        if not _is_empty(cell):
            last, width = str(cell).strip(), 1
            titles.append(last)
        else:
            width += 1
            titles.append(f"{last} {width}" if last else "")
    return titles


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
