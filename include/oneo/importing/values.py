"""Cells to values of a field's type."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

_TRUE, _FALSE = {"true", "yes", "y", "1"}, {"false", "no", "n", "0"}


def convert(cell: Any, kind: str | None) -> Any:
    """A cell that is not empty as a value of a field type; without a type, as the value it is.

    Raises:
        ValueError: It is none.
    """
    if isinstance(cell, str):
        return _READERS[kind](cell) if kind in _READERS else cell
    if isinstance(cell, datetime | date | time):
        return _time(cell, kind)
    if isinstance(cell, list | dict):
        return _nested(cell, kind)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        cell = int(cell)  # a spreadsheet knows no other numbers
    if kind is None or kind == "json":
        return cell
    if isinstance(cell, bool | int | float):
        return _plain(cell, kind)
    raise ValueError(cell)


def _plain(cell: bool | float, kind: str) -> Any:
    is_bool = isinstance(cell, bool)
    match kind:
        case "boolean" if is_bool or cell in (0, 1):
            return bool(cell)
        case "number" if not is_bool and math.isfinite(cell):
            return cell
        case "integer" if not is_bool and isinstance(cell, int):
            return cell
        case "number" | "integer" | "boolean" | "date" | "datetime" | "list":
            raise ValueError(cell)
        case _:
            return str(cell).lower() if is_bool else str(cell)


def _time(cell: datetime | date | time, kind: str | None) -> str:
    is_day = isinstance(cell, datetime) and cell.time() == time()
    if kind in ("number", "integer", "boolean", "list") or (kind == "datetime" and isinstance(cell, time)):
        raise ValueError(cell)
    if kind == "date" and not is_day and (isinstance(cell, datetime | time)):
        raise ValueError(cell)
    # Spreadsheets keep a day as its midnight.
    return (
        cell.date().isoformat()
        if isinstance(cell, datetime) and is_day and kind != "datetime"
        else cell.isoformat()
    )


def _nested(cell: list[Any] | dict[str, Any], kind: str | None) -> Any:
    if kind in (None, "json") or (kind == "list" and isinstance(cell, list)):
        return cell
    raise ValueError(cell)


def _number(text: str) -> int | float:
    if "_" in text:
        raise ValueError(text)  # Python's way of writing thousands, nobody else's
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _integer(text: str) -> int:
    if "_" in text:
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _list(text: str) -> list[Any]:
    if text.startswith("["):  # as exports write it
        found: list[Any] = _json(text)
        return found
    return [part.strip() for part in text.split(";") if part.strip()]


def _json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


_READERS: dict[str | None, Callable[[str], Any]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": lambda text: date.fromisoformat(text).isoformat(),
    "datetime": lambda text: datetime.fromisoformat(text).isoformat(),
    "list": _list,
    "json": _json,
}
