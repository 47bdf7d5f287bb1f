"""What every file of rows looks like once it is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from oneo.errors import UserError

# Characters of a cell, and of an entry of a JSON array.
MAX_CELL = 1_000_000


class Row(NamedTuple):
    """One row of a file.

    Attributes:
        line: Where it starts: the line of a text file, the row of a sheet, the entry of a JSON array; 1 is the first.
        cells: Its values in the header's order; text files know text only.
        repaired: Whether it was read other than it stands there.
        problem: Why it cannot be read, where the rows after it can.
    """

    line: int
    cells: list[Any]
    repaired: bool = False
    problem: str | None = None


class Source(Protocol):
    """An open file with named columns, which can be read again from its beginning."""

    header: list[str]

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty.

        Raises:
            UserError: The file cannot be read any further.
        """


def open_source(path: Path, stack: ExitStack, sheet: str | None = None) -> Source:
    """Open a file until the stack closes; its ending says what it is, and anything unknown is CSV.

    Args:
        path: The file.
        stack: Closes it.
        sheet: Which sheet of a workbook; without, there must be one only.

    Raises:
        UserError: It cannot be opened, or is none of that kind.
    """
    kind = path.suffix.lower()
    is_workbook = kind in (".xlsx", ".xlsm")
    if sheet is not None and not is_workbook:
        raise UserError(f"{path} has no sheets", hint="leave --sheet out: it is for .xlsx files")
    # Each loads its libraries with the first file that needs them.
    if is_workbook:
        from oneo.importing.excel_file import open_excel  # noqa: PLC0415

        return open_excel(path, stack, sheet)
    if kind == ".xls":
        raise UserError(f"{path} is a workbook of the old kind", hint="save it as .xlsx or CSV UTF-8")
    if kind in (".json", ".jsonl", ".ndjson"):
        from oneo.importing.json_file import open_json  # noqa: PLC0415

        return open_json(path, stack)
    from oneo.importing.csv_file import open_csv  # noqa: PLC0415

    return open_csv(path, stack)


def unreadable(path: Path, error: OSError) -> UserError:
    """The error for a file that cannot be opened."""
    return UserError(
        f"cannot read {path}: {error.strerror}", hint="give the path of a CSV, Excel or JSON file"
    )
