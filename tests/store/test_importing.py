"""CSV files: columns find their fields, good rows become records, bad ones go aside with the reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.importing import ImportOptions, ImportResult, Reading, import_file
from oneo.importing.job import BATCH
from oneo.store import pipelines, records
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec, parse_spec
from oneo.store.totals import totals

ROOT = Path(__file__).parents[2]
LEADS = ROOT.parent / "shared" / "data" / "leads" / "leads-2000.csv"
READING = {"key", "not_answered", "mapping"}
FIELDS = [
    {"id": "name", "name": "Full Name", "required": True},
    {"id": "score", "type": "number"},
    {"id": "active", "type": "boolean"},
    {"id": "born", "type": "date"},
    {"id": "email", "type": "email"},
]


@pytest.fixture
def people(database: Database, tenant: str) -> str:
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": FIELDS}))
    return "people"


@pytest.fixture
def load(database: Database, tenant: str, people: str, csv_file, tmp_path: Path):
    def one(content: str | bytes, progress=lambda _: None, **options: object) -> ImportResult:
        options.setdefault("rejects", tmp_path / "out" / "rejects.csv")
        reading = Reading(**{name: options.pop(name) for name in READING & options.keys()})
        given = ImportOptions(reading=reading, keep_ids=True, **options)
        return import_file(database, tenant, people, csv_file(content), given, progress)

    return one


@pytest.fixture
def kept(database: Database, tenant: str, people: str):
    def one() -> list[dict[str, object]]:
        with database.tenant(tenant) as session:
            query = select(Record.data).where(Record.deleted_at.is_(None))
            return sorted(session.scalars(query), key=lambda data: str(data.get("name")))

    return one


def rejected(result: ImportResult) -> list[list[str]]:
    with Path(result.rejects_file).open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))


def test_columns_find_their_fields_by_id_or_label_and_others_stay_text(load, kept):
    result = load("Full Name,Score,ACTIVE,born,Lead Source,TotalVisits\nAnna,7.5,yes,2001-02-03,Web,3\n")

    assert (result.read, result.created, result.rejected, result.rejects_file) == (1, 1, 0, None)
    assert kept() == [
        {
            "name": "Anna",
            "score": 7.5,
            "active": True,
            "born": "2001-02-03",
            "lead_source": "Web",
            "total_visits": "3",
        }
    ]


def test_columns_without_a_usable_title_are_kept_by_number(load, kept):
    load("name,,%\nAnna,a,b\n")

    assert kept() == [{"name": "Anna", "column_2": "a", "column_3": "b"}]


def test_an_id_of_another_system_does_not_hide_behind_ours(load, kept):
    load("ID,name,version\n7,Anna,3\n")

    assert kept() == [{"name": "Anna", "imported_id": "7", "imported_version": "3"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_of_any_spreadsheet_are_read(load, kept, delimiter: str, start: str, end: str):
    load(start + end.join([delimiter.join(("name", "score")), "", delimiter.join(("Zoë", "1")), ""]))

    assert kept() == [{"name": "Zoë", "score": 1}]


def test_quoted_cells_hold_line_ends_delimiters_and_quotes(load, kept):
    load('name,note\n"Berg, Anna","one\ntwo ""three"""\n')

    assert kept() == [{"name": "Berg, Anna", "note": 'one\ntwo "three"'}]


def test_bad_rows_go_aside_with_the_line_they_start_on_and_every_reason(load, kept):
    result = load(
        "name,score,active,born,email\n"
        'Anna,1,yes,2001-01-01,"a@x.de\n'
        'second line"\n'
        "Bo,1,yes,2001-01-01,bo@x.de\n"
        "\n"
        "Cy,many,perhaps,31.01.2001,cy@x.de\n"
        ",1,no,2001-01-01,d@x.de\n"
        "Ed,1\n"
        "Flo,1,no,2001-01-01,flo@x.de,more\n"
        "Gil\x00,1,no,2001-01-01,g@x.de\n"
    )
    header, *rows = rejected(result)

    assert (result.read, result.created, result.rejected) == (7, 1, 6)
    assert [one["name"] for one in kept()] == ["Bo"]
    assert header == ["line", "problem", "name", "score", "active", "born", "email"]
    assert [row[0] for row in rows] == ["2", "6", "7", "8", "9", "10"]
    for row, parts in zip(
        rows,
        [
            ["'email'"],
            ["score: 'many' is not of type number", "active: 'perhaps'", "born: '31.01.2001'"],
            ["'name' is required"],
            ["2 cell(s) where the header has 5"],
            ["6 cell(s) where the header has 5"],
            ["NUL"],
        ],
        strict=True,
    ):
        assert all(part in row[1] for part in parts), row
    assert rows[1][2:] == ["Cy", "many", "perhaps", "31.01.2001", "cy@x.de"]


def test_texts_that_mean_not_answered_are_empty(load, kept):
    result = load(
        "name,score,ref\nAnna,Select,a\nSelect,1,b\nBo,2,Select\n",
        not_answered=frozenset({"Select"}),
        key="ref",
    )

    assert kept() == [{"name": "Anna", "ref": "a"}]
    assert [row[1] for row in rejected(result)[1:]] == ["field 'name' is required", "the key column is empty"]


def test_a_key_updates_known_records_and_leaves_what_the_file_leaves_empty(load, kept):
    first = load("name,score,ref\nAnna,1,a\nBo,2,b\n", key="ref")
    again = load("name,score,ref\n,5,a\nBo,,b\nCy,3,c\n", key="ref")

    assert (first.created, first.updated) == (2, 0)
    assert (again.created, again.updated, again.rejected) == (1, 2, 0)
    assert again.record_ids[:2] == first.record_ids
    assert [(one["name"], one["score"]) for one in kept()] == [("Anna", 5), ("Bo", 2), ("Cy", 3)]


def test_the_last_row_of_a_key_wins(load, kept):
    result = load("name,ref\nAnna,a\nAnne,a\n", key="ref")

    assert (result.created, result.updated) == (1, 1)
    assert [one["name"] for one in kept()] == ["Anne"]


def test_a_column_external_id_tells_records_apart_unasked(load, kept):
    for _ in range(2):
        result = load("name,External ID\nAnna,7\nBo,\n")

    assert (result.created, result.updated, result.skipped) == (0, 1, 1)
    assert [one["name"] for one in kept()] == ["Anna", "Bo"]


def test_a_limit_reads_that_many_rows_and_no_further(load, kept):
    result = load('name\nAnna\n\nBo\nCy\n"broken"x\n', limit=2)

    assert (result.read, len(kept())) == (2, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header line"),
        (b"\n\n", "no header line"),
        (b" , \nx,y\n", "no header line"),
        (b"name,name\na,b\n", "'name' stands twice"),
        (b"Total Visits,TotalVisits\n1,2\n", "are the same field"),
        (b"Full Name,name\n1,2\n", "are the same field"),
        ("name\nAnna\nJörg\n".encode("latin-1"), "line 3 is not UTF-8"),
        ("name\nAnna\n".encode("utf-16"), "line 1 is not UTF-8"),
        (b'name\nAnna\n"open\n', "line 3"),
        (b'name\nAnna\n"a"b\n', "line 3"),
        (b"name\n" + b"x" * 1_000_001, "field larger than field limit"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(load, kept, content: bytes, message: str):
    with pytest.raises(UserError, match=message):
        load(content)
    assert kept() == []


def test_a_file_that_breaks_off_late_leaves_nothing_behind(load, kept):
    with pytest.raises(UserError, match="line 602 is not UTF-8"):
        load(b"name\n" + b"Anna\n" * 600 + b"\xff\n")
    assert kept() == []


def test_a_missing_file_pipeline_or_key_is_named(database: Database, tenant: str, load, tmp_path: Path):
    with pytest.raises(UserError, match="did you mean 'ref'"):
        load("name,ref\nAnna,a\n", key="reff")
    options = ImportOptions(tmp_path / "rejects.csv")
    with pytest.raises(UserError, match="No such file"):
        import_file(database, tenant, "people", tmp_path / "no.csv", options)
    with pytest.raises(UserError, match="directory"):
        import_file(database, tenant, "people", tmp_path, options)
    with pytest.raises(NotFoundError, match="did you mean 'people'"):
        import_file(database, tenant, "peple", tmp_path / "no.csv", options)


def test_rejects_do_not_overwrite_their_source(load, tmp_path: Path):
    with pytest.raises(UserError, match="its own rejected rows"):
        load("name\n\n", rejects=tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_text() == "name\n\n"


def test_a_header_alone_is_an_empty_import(load):
    assert load("name,score\n").as_json() == {
        "read": 0,
        "created": 0,
        "updated": 0,
        "skipped": 0,
        "rejected": 0,
        "repaired": 0,
        "repaired_lines": [],
        "rejects_file": None,
    }


def test_a_database_failure_in_the_middle_leaves_whole_batches_only(
    load, kept, tenant: str, as_owner: psycopg.Connection
):
    as_owner.execute(
        f"ALTER TABLE records ADD CONSTRAINT no_boom CHECK (tenant_id <> '{tenant}' OR data ->> 'name' <> 'boom')"
    )
    seen: list[int] = []
    try:
        with pytest.raises(DBAPIError, match="no_boom") as raised:
            load("name\n" + "Anna\n" * 700 + "boom\n" + "Bo\n" * 700, lambda result: seen.append(result.read))
    finally:
        as_owner.execute("ALTER TABLE records DROP CONSTRAINT no_boom")

    assert seen == [BATCH]
    assert len(kept()) == BATCH
    assert "Failing row" not in str(raised.value)


@pytest.mark.skipif(not LEADS.exists(), reason="the 2,000 real leads are not part of the repository")
def test_two_thousand_real_leads(database: Database, tenant: str, tmp_path: Path):
    document = json.loads((ROOT / "include/samples/pipelines/leads.json").read_text())
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, parse_spec(document, "leads.json"))
    reading = Reading(key="Lead Number", not_answered=frozenset({"Select"}))
    options = ImportOptions(tmp_path / "rejects.csv", reading)
    first = import_file(database, tenant, "leads", LEADS, options)
    again = import_file(database, tenant, "leads", LEADS, options)
    with database.tenant(tenant) as session:
        [found] = totals(session, "leads", {}, ["total_visits", "time_on_website"])
        selects = records.count(session, "leads", {"specialization": "Select"})
        kept = session.scalar(select(func.count()).select_from(Record))
        versions = set(session.scalars(select(Record.version)))

    assert (first.read, first.created, first.rejected, first.repaired) == (2000, 2000, 0, 70)
    assert (again.created, again.updated, again.rejected) == (0, 2000, 0)
    assert (found["count"], kept, selects, versions) == (2000, 2000, 0, {1})
    with LEADS.open(newline="") as file:
        header, *lines = csv.reader(file)
    # Seventy of them stand in the file as one quoted cell.
    assert sum(len(cells) == 1 for cells in lines) == 70
    rows = [
        dict(zip(header, cells if len(cells) > 1 else next(csv.reader(cells)), strict=True))
        for cells in lines
    ]
    assert found["time_on_website"]["sum"] == sum(int(row["Total Time Spent on Website"]) for row in rows)
    assert found["total_visits"]["sum"] == sum(float(row["TotalVisits"] or 0) for row in rows)


def test_a_row_quoted_as_a_whole_is_read_as_the_row_it_is_unless_it_is_none(load, kept):
    result = load('name,score\n"Anna,5"\n"""Bo, Jr"",7"\n"Carl"\n"Dora,1,2"\n')
    assert (result.created, result.rejected) == (2, 2)
    assert sorted((record["name"], record["score"]) for record in kept()) == [("Anna", 5), ("Bo, Jr", 7)]
