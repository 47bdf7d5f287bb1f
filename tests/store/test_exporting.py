"""Records to files: every field, in every format, and back again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.exporting import export
from oneo.importing import ImportOptions, import_file
from oneo.store import bulk, pipelines, records
from oneo.store.bulk import BulkRecord
from oneo.store.pipelines import PipelineSpec

FIELDS = [{"id": "name"}, {"id": "score", "type": "number"}, {"id": "tags", "type": "list"}]
PEOPLE = [
    {"name": 'Zoë, "Z"\nBerg', "score": 7, "tags": ["a;b", "c"], "external_id": "z"},
    {"name": "=1+1", "score": 0.5, "stage": "hot", "note": {"x": [1]}, "active": True},
    {"name": "+49 30 1", "owner": "bo"},
]
COLUMNS = [
    "id", "external_id", "stage", "owner", "name", "score", "tags", "active", "note", "version", "created_at",
    "updated_at",
]  # fmt: skip


@pytest.fixture
def people(database: Database, tenant: str) -> list[str]:
    ids = []
    for data in PEOPLE:
        with database.tenant(tenant) as session:
            if not ids:
                pipelines.apply(
                    session, tenant, PipelineSpec.model_validate({"id": "people", "fields": FIELDS})
                )
            ids.append(str(records.create(session, tenant, "people", data).id))
    return ids


@pytest.fixture
def write(database: Database, tenant: str, people, tmp_path: Path):
    def one(kind: str, filters: dict | None = None) -> Path:
        path = tmp_path / f"people.{kind}"
        export(database, tenant, "people", filters or {}, kind, path)
        assert not list(tmp_path.glob(".*"))
        return path

    return one


def test_a_table_has_a_column_for_every_field_that_any_record_has(write, people):
    with write("csv").open(newline="") as lines:
        header, *rows = csv.reader(lines)

    assert header == COLUMNS
    assert [row[:-2] for row in rows] == [
        [people[0], "z", "", "", 'Zoë, "Z"\nBerg', "7", '["a;b", "c"]', "", "", "1"],
        [people[1], "", "hot", "", "=1+1", "0.5", "", "true", '{"x": [1]}', "1"],
        [people[2], "", "", "bo", "+49 30 1", "", "", "", "", "1"],
    ]


def test_lines_hold_the_records_as_workflows_see_them(write, people):
    rows = [json.loads(line) for line in write("jsonl").read_text().splitlines()]

    assert [row["id"] for row in rows] == people
    assert rows[1].items() >= {"stage": "hot", "active": True, "score": 0.5}.items()
    assert rows[1]["note"] == {"x": [1]}


def test_texts_in_a_workbook_are_no_formulas(write):
    book = load_workbook(write("xlsx"))
    header, first, second, _ = book.active.iter_rows()

    assert [cell.value for cell in header] == COLUMNS
    assert [(cell.value, cell.data_type) for cell in second[4:6]] == [("=1+1", "s"), (0.5, "n")]
    assert [cell.value for cell in first[4:7]] == ['Zoë, "Z"\nBerg', 7, '["a;b", "c"]']


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_any_number_of_records_is_written(write, people, database, tenant, kind):
    with database.tenant(tenant) as session:
        bulk.insert(session, tenant, "people", [BulkRecord(uuid4(), {"n": n}) for n in range(1201)])
    with write(kind, {"n": {"$exists": True}}).open() as lines:
        assert len(list(lines)) == 1201 + (kind == "csv")


def test_only_records_that_fit_the_filters_are_written(write, people):
    rows = write("jsonl", {"score": {"$gte": 1}}).read_text().splitlines()

    assert [json.loads(row)["id"] for row in rows] == [people[0]]
    assert write("csv", {"score": -1}).read_text().count("\n") == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_what_was_exported_is_imported_as_it_was(write, database, tenant, tmp_path, kind):
    path = write(kind)
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "copies", "fields": FIELDS}))
    result = import_file(
        database, tenant, "copies", path, ImportOptions(tmp_path / "rejects.csv", keep_ids=True)
    )
    with database.tenant(tenant) as session:
        copies = [records.view(records.get(session, record_id)) for record_id in result.record_ids]

    assert result.rejected == 0
    for copy, person in zip(copies, PEOPLE, strict=True):
        assert {name: copy[name] for name in person if name not in ("note", "active")} == {
            name: value for name, value in person.items() if name not in ("note", "active")
        }


def test_what_cannot_be_written_is_named(database, tenant, people, tmp_path):
    with pytest.raises(NotFoundError, match="did you mean 'people'"):
        export(database, tenant, "peple", {}, "csv", tmp_path / "a.csv")
    with pytest.raises(UserError, match="unknown operator"):
        export(database, tenant, "people", {"score": {"$get": 1}}, "csv", tmp_path / "a.csv")
    with pytest.raises(UserError, match=r"has no field 'scor'.*did you mean 'score'"):
        export(database, tenant, "people", {"scor": 1}, "csv", tmp_path / "a.csv")
    with pytest.raises(UserError, match=r"cannot write .*: No such file"):
        export(database, tenant, "people", {}, "csv", tmp_path / "no" / "a.csv")
    with pytest.raises(UserError, match="standard output"):
        export(database, tenant, "people", {}, "xlsx", None)
    with database.tenant(tenant) as session:
        records.create(session, tenant, "people", {"name": "x" * 40_000})
    with pytest.raises(UserError, match="'name' has a text of 40,000 characters"):
        export(database, tenant, "people", {}, "xlsx", tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
