"""Excel, JSON lines and JSON arrays are read like CSV: the same rows become the same records."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from oneo.database import Database
from oneo.errors import UserError
from oneo.importing import ImportOptions, Reading, import_file
from oneo.store import pipelines
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec

FIELDS = [
    {"id": "name", "required": True},
    {"id": "phone"},
    {"id": "score", "type": "number"},
    {"id": "born", "type": "date"},
    {"id": "seen", "type": "datetime"},
    {"id": "active", "type": "boolean"},
    {"id": "tags", "type": "list"},
]


@pytest.fixture
def load(database: Database, tenant: str, tmp_path: Path):
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": FIELDS}))

    def one(path: Path, sheet: str | None = None, **reading: object):
        options = ImportOptions(tmp_path / "rejects.csv", Reading(**reading), sheet=sheet)
        return import_file(database, tenant, "people", path, options)

    return one


@pytest.fixture
def kept(database: Database, tenant: str):
    def one() -> list[dict[str, object]]:
        with database.tenant(tenant) as session:
            return sorted(session.scalars(select(Record.data)), key=lambda data: data["name"])

    return one


def workbook(path: Path, *rows: list[object], title: str = "People") -> Path:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def reasons(result) -> list[tuple[str, str]]:
    with Path(result.rejects_file).open(newline="", encoding="utf-8") as lines:
        return [(row["line"], row["problem"]) for row in csv.DictReader(lines)]


def test_cells_of_a_sheet_are_values_of_their_types(load, kept, tmp_path):
    load(
        workbook(
            tmp_path / "a.xlsx",
            ["Name", "Phone", "Score", "Born", "Seen", "Active", "Since", "Visits"],
            ["Anna", 4930123.0, "7.5", date(2001, 2, 3), datetime(2026, 1, 2), True, date(2020, 1, 1), 3],
        )
    )
    assert kept() == [
        {
            "name": "Anna",
            "phone": "4930123",
            "score": 7.5,
            "born": "2001-02-03",
            "seen": "2026-01-02T00:00:00",
            "active": True,
            "since": "2020-01-01",
            "visits": 3,
        }
    ]


def test_empty_rows_short_rows_and_merged_titles_of_a_sheet(load, kept, tmp_path):
    path = tmp_path / "a.xlsx"
    book = Workbook()
    for row in (
        [],
        ["Name", "Address", None, "Score"],
        [],
        ["Anna", "Street 1", "Berlin"],
        [None, " "],
        ["Bo"],
    ):
        book.active.append(row)
    book.active.merge_cells("B2:C2")
    book.save(path)
    result = load(path)

    assert (result.read, result.created) == (2, 2)
    assert kept() == [{"name": "Anna", "address": "Street 1", "address_2": "Berlin"}, {"name": "Bo"}]


def test_rows_of_a_sheet_that_do_not_fit_are_named_by_their_numbers(load, kept, tmp_path):
    result = load(
        workbook(
            tmp_path / "a.xlsx",
            ["Name", "Score", "Born"],
            ["Anna", "#N/A"],
            [],
            ["Bo", datetime(2026, 1, 1)],
            ["Cy", 1, 45_000],
            ["Di", 1, None, "more"],
        )
    )
    assert reasons(result) == [
        ("2", "Score: the sheet shows the error #N/A"),
        ("4", "score: '2026-01-01 00:00:00' is not of type number"),
        ("5", "born: '45000' is not of type date"),
        ("6", "4 cell(s) where the header has 3"),
    ]


def test_of_several_sheets_one_must_be_chosen(load, kept, tmp_path):
    path = tmp_path / "a.xlsx"
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("People")
    sheet.append(["name"])
    sheet.append(["Anna"])
    book.save(path)

    with pytest.raises(UserError, match="2 sheets: Notes, People"):
        load(path)
    with pytest.raises(UserError, match="no sheet 'Peple'") as raised:
        load(path, "Peple")
    assert "'People'" in raised.value.hint
    with pytest.raises(UserError, match=r"'Notes' of .* is empty"):
        load(path, "Notes")
    assert load(path, "People").created == 1


def test_objects_become_records_whether_on_lines_or_in_an_array(load, kept, tmp_path):
    people = [
        {"name": "Anna", "tags": ["a", "b"], "score": 7, "note": {"x": [1]}},
        {},
        {"name": "Bo", "active": False, "phone": 30, "score": None},
    ]
    lines, array = tmp_path / "a.jsonl", tmp_path / "a.json"
    lines.write_text("\n".join(map(json.dumps, people)) + "\n\n")
    array.write_text(json.dumps(people, indent=1))
    expected = [
        {"name": "Anna", "tags": ["a", "b"], "score": 7, "note": {"x": [1]}},
        {"name": "Bo", "active": False, "phone": "30"},
    ]

    assert load(lines).created == 2
    assert kept() == expected
    assert load(array).created == 2
    assert kept() == sorted(expected * 2, key=lambda data: data["name"])


def test_an_array_is_read_in_pieces_wherever_they_end(load, kept, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"name": f"{n:04}", "note": "ü" * 90} for n in range(1500)], indent=2))

    assert load(path).created == 1500
    assert [one["name"] for one in kept()] == [f"{n:04}" for n in range(1500)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"name": "Anna"}\n{"name": \n', "line 2: Expecting value"),
        ("a.jsonl", '{"name": "Anna"}\n5\n', "line 2: a record is an object"),
        ("a.jsonl", '{"name": NaN}\n', "line 1: NaN is no JSON"),
        ("a.json", '[{"name": "Anna"}, 5]', "entry 2: a record is an object"),
        ("a.json", '[{"name": "Anna"} {}]', "after entry 1: expected , or ]"),
        ("a.json", '[{"name": "Anna"}', "after entry 1: expected , or ]"),
        ("a.json", '[{"name": "Anna"', "entry 1: "),
        ("a.json", "", "holds no objects"),
        ("a.xlsx", "name\nAnna\n", "is no Excel workbook"),
        ("a.xls", "", "workbook of the old kind"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(load, kept, tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        load(tmp_path / name)
    assert kept() == []
