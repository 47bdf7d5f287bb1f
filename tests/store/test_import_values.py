"""Titles become names of fields, cells become values of their types."""

from __future__ import annotations

import pytest

from oneo.importing.columns import field_name
from oneo.importing.values import convert


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("TotalVisits", "total_visits"), ("Total Visits ", "total_visits"), ("e-mail", "e_mail"), ("2nd", "_2nd"),
        ("Größe", "größe"), ("名前", "名前"), ("ID", "imported_id"), ("Created At", "imported_created_at"), ("%", ""),
    ],
)  # fmt: skip
def test_titles_become_names(column: str, name: str):
    assert field_name(column) == name


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", "number", 7), ("7.0", "number", 7), ("-0.5", "number", -0.5), ("1e3", "number", 1000),
        ("9007199254740993", "number", 9007199254740993), ("+5", "integer", 5), ("NO", "boolean", False),
        ("1", "boolean", True), ("20260131", "date", "2026-01-31"), ("a; b;;", "list", ["a", "b"]),
        ("2026-01-31 09:00", "datetime", "2026-01-31T09:00:00"), ('{"a": [1]}', "json", {"a": [1]}), ("7", "text", "7"),
    ],
)  # fmt: skip
def test_cells_become_values(text: str, kind: str, value: object):
    assert convert(text, kind) == value
    assert type(convert(text, kind)) is type(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nan", "number"), ("inf", "number"), ("1e999", "number"), ("1,5", "number"), ("1_000", "number"),
        ("3.0", "integer"), ("1_0", "integer"), ("2", "boolean"), ("2026-02-30", "date"), ("now", "datetime"),
        ("{", "json"), ("NaN", "json"), ("[" * 100_000, "json"), ("9" * 5000, "integer"),
    ],
)  # fmt: skip
def test_cells_of_another_type_are_refused(text: str, kind: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is written by the caller
        convert(text, kind)
