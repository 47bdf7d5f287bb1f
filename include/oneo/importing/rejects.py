"""The file of the rows that did not fit."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any


class Rejects:
    """A CSV file of rows with their lines and reasons; made with the first of them.

    Args:
        target: Where it goes.
        header: The source's column names.
        stack: Closes the file.
    """

    def __init__(self, target: Path, header: Sequence[str], stack: ExitStack) -> None:
        self._target = target
        self._header = header
        self._stack = stack
        self._writer: Any = None

    @property
    def path(self) -> str | None:
        """Where they are, or None where there are none."""
        return str(self._target) if self._writer is not None else None

    def write(self, line: int, problem: str, cells: Sequence[Any]) -> None:
        """Add a row."""
        if self._writer is None:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            target = self._stack.enter_context(self._target.open("w", newline="", encoding="utf-8"))
            self._writer = csv.writer(target)
            self._writer.writerow(["line", "problem", *self._header])
        self._writer.writerow([line, problem, *cells])
