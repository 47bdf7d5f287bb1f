"""Duplicates, mappings, imports that broke off, and what becomes of the events of an import."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from oneo.database import Database
from oneo.errors import UserError
from oneo.importing import ImportOptions, Reading, import_file, preview
from oneo.importing.mapping import parse_mapping, parse_pairs
from oneo.store import events, held_events, history, pipelines, records
from oneo.store.models import Record, RecordEvent
from oneo.store.pipelines import PipelineSpec

FIELDS = [{"id": "name"}, {"id": "email", "unique": True}, {"id": "score", "type": "number"}]


@pytest.fixture
def options(database: Database, tenant: str, tmp_path: Path):
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": FIELDS}))

    def one(key=None, mapping=None, **more: object) -> ImportOptions:
        reading = Reading(key=key, mapping=parse_mapping(mapping or {}, "mapping"))
        return ImportOptions(tmp_path / "rejects.csv", reading, keep_ids=True, **more)

    return one


@pytest.fixture
def load(database: Database, tenant: str, options, csv_file):
    def one(content: str, progress=lambda _: None, **more: object):
        return import_file(database, tenant, "people", csv_file(content), options(**more), progress)

    return one


@pytest.fixture
def kept(database: Database, tenant: str):
    def one() -> list[dict[str, object]]:
        with database.tenant(tenant) as session:
            rows = session.scalars(select(Record).where(Record.deleted_at.is_(None)))
            found = [{**row.data, "external_id": row.external_id} for row in rows]
        shown = [{name: value for name, value in one.items() if value is not None} for one in found]
        return sorted(shown, key=lambda data: (str(data.get("name")), data.get("score", 0)))

    return one


@pytest.fixture
def waiting(database: Database, tenant: str, quiet_queue: None):
    """The tenant's events that a dispatcher would take, by the records' names."""

    def one() -> list[str]:
        with database.system() as session:
            found = [event for event in events.claim_waiting(session, 10_000) if event.tenant_id == tenant]
            return [event.record["name"] for event in found]

    return one


FIRST = "name,email,score\nAnna,a@x.de,1\n"
SECOND = "name,email,score\nAnne,a@x.de,2\nBo,b@x.de,3\nBob,b@x.de,4\nCy,,5\nDi,,5\n"


@pytest.mark.parametrize(
    ("policy", "counts", "names"),
    [
        ("update", (3, 2, 0, 0), ["Anne", "Bob", "Cy", "Di"]),
        ("skip", (3, 0, 2, 0), ["Anna", "Bo", "Cy", "Di"]),
        ("error", (3, 0, 0, 2), ["Anna", "Bo", "Cy", "Di"]),
        ("create", (3, 0, 0, 2), ["Anna", "Bo", "Cy", "Di"]),
    ],
)
@pytest.mark.parametrize("key", [None, "email"])
def test_duplicates_by_a_key_or_the_unique_fields(load, kept, policy, counts, names, key):
    load(FIRST, key=None)
    second = SECOND.replace("Cy,,", "Cy,c@x.de,").replace("Di,,", "Di,d@x.de,") if key else SECOND
    result = load(second, key=key, duplicates=policy)

    assert (result.created, result.updated, result.skipped, result.rejected) == counts
    assert [one["name"] for one in kept()] == names


def test_a_duplicate_that_is_an_error_names_the_record_it_meets(load):
    first = load(FIRST)
    result = load(SECOND, duplicates="error")

    with Path(result.rejects_file).open(newline="") as lines:
        row = next(csv.DictReader(lines))
    assert row["problem"] == f"email: 'a@x.de' has record {first.record_ids[0]} already"


@pytest.mark.parametrize("policy", ["update", "skip", "error", "create"])
def test_an_import_that_broke_off_is_taken_up_where_it_stood(load, kept, policy):
    content = "name,email\n" + "".join(
        f"{n:04},{n % 900}@x.de\n" if n % 2 else f"{n:04},\n" for n in range(1200)
    )

    def break_off(result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(content, break_off, duplicates=policy)
    assert len(kept()) == 500
    load(content, duplicates=policy)
    names = [one["name"] for one in kept()]

    assert len(names) == len(set(names)) == 1050


def test_where_no_field_is_unique_doubles_may_be_created(load, kept, database, tenant):
    fields = [{"id": "name"}, {"id": "email"}]
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": fields}))
    load(FIRST)
    result = load(SECOND, key="email", duplicates="create")

    assert (result.created, result.rejected) == (3, 2)
    assert [one["name"] for one in kept()] == ["Anna", "Anne", "Bo", "Bob"]


def test_the_same_file_again_adds_nothing_until_its_records_are_deleted(load, kept, database, tenant):
    content = "name\nAnna\nBo\n"
    first = load(content)
    assert (load(content).skipped, len(kept())) == (2, 2)
    for _ in range(2):
        with database.tenant(tenant) as session:
            for row in session.scalars(select(Record).where(Record.deleted_at.is_(None))):
                records.delete(session, row)
        again = load(content)
        assert (again.created, len(kept())) == (2, 2)
        assert (load(content).skipped, len(kept())) == (2, 2)
    assert not set(again.record_ids) & set(first.record_ids)


def test_a_dry_run_reports_the_same_and_keeps_nothing(load, kept, waiting):
    content = "name,email,score\n" + "".join(
        f"{n:04},{n % 900}@x.de,{'x' if n == 7 else n}\n" for n in range(1200)
    )
    tried = load(content, dry_run=True, duplicates="skip")

    assert (kept(), waiting()) == ([], [])
    done = load(content, duplicates="skip")
    assert tried.as_json() == done.as_json()
    assert (done.created, done.skipped, done.rejected) == (900, 299, 1)


def test_columns_go_where_the_mapping_says(load, kept):
    mapping = {
        "*": {"values": {"Select": None}},
        "Full Title": "name",
        "Points": {"field": "score", "values": {"none": 0}},
        "Zip": {"type": "integer"},
        "Junk": None,
        "Status": {"field": "stage", "values": {"neu": "new"}},
    }
    load(
        "Full Title,Points,Zip,Junk,Status,City\nAnna,none,10115,x,neu,Select\nBo,Select,Select,x,hot,Bonn\n",
        mapping=mapping,
    )
    assert kept() == [{"name": "Anna", "score": 0, "zip": 10115}, {"name": "Bo", "city": "Bonn"}]


def test_a_mapping_that_cannot_be_followed_is_refused(load):
    with pytest.raises(UserError, match="no column 'Nmae' to map") as raised:
        load("Name\nAnna\n", mapping={"Nmae": "name"})
    assert "'Name'" in raised.value.hint
    with pytest.raises(UserError, match="are the same field"):
        load("Name,Title\nAnna,x\n", mapping={"Title": "name"})
    with pytest.raises(UserError) as raised:
        parse_mapping({"A": "id", "B": {"feld": "b"}, "C": "a b", "*": "name"}, "map.json")
    for part in ("$.A: the store keeps 'id' itself", "$.B.feld", "$.C: 'a b' is not", "$.*: all columns"):
        assert part in raised.value.message
    with pytest.raises(UserError, match="names no field"):
        parse_pairs(["Lead Source"])
    assert parse_pairs(["a=b=c"])["a=b"].field == "c"


def test_a_preview_shows_records_and_reasons_and_writes_nothing(database, tenant, options, csv_file, kept):
    path = csv_file("name,score\nAnna,1\nBo,x\nCy,3\n")
    shown = list(preview(database, tenant, "people", path, options(limit=2)))

    assert [(row.line, row.data, list(row.problems)) for row in shown] == [
        (2, {"name": "Anna", "score": 1}, []),
        (3, {"name": "Bo"}, ["score: 'x' is not of type number"]),
    ]
    assert kept() == []


def test_a_silent_import_writes_no_events_and_the_next_one_does(load, waiting, database, tenant):
    load(FIRST, events="silent")
    with database.tenant(tenant) as session:
        assert list(session.scalars(select(RecordEvent))) == []
    load(FIRST.replace("Anna", "Anne"))
    assert waiting() == ["Anne"]


def test_held_events_are_handed_on_at_most_so_many_at_a_time(load, waiting, database, tenant, other_tenant):
    load("name\n" + "".join(f"{n}\n" for n in range(5)), events="held")
    assert waiting() == []
    with database.tenant(other_tenant) as session:
        assert held_events.release(session, "people") == 0
    for expected, left in ((["0", "1"], 3), (["0", "1", "2", "3"], 1)):
        with database.tenant(tenant) as session:
            assert held_events.release(session, "people", 2) == 2
            assert held_events.count(session, "people") == left
        assert waiting() == expected
    with database.tenant(tenant) as session:
        assert held_events.release(session, "people") == 1
        assert held_events.release(session, "people") == 0
    assert waiting() == ["0", "1", "2", "3", "4"]


def test_a_silent_import_is_part_of_the_history_and_what_stays_the_same_is_not(load, database, tenant):
    ids = load(FIRST, events="silent").record_ids
    load(FIRST + "Bo,b@x.de,1\n", events="silent")
    load(FIRST.replace("Anna,a@x.de,1", "Anna,a@x.de,2"), events="silent")
    with database.tenant(tenant) as session:
        past = [(entry.kind, entry.version, entry.changes) for entry in history.of_record(session, ids[0])]

    assert [(kind, version) for kind, version, _ in past] == [("created", 1), ("updated", 2)]
    assert past[1][2] == {"score": {"before": 1, "after": 2}}


def test_a_record_keeps_the_external_id_by_which_another_system_finds_it(load, kept):
    load("name,email,external_id\nAnna,a@x.de,old\nBo,b@x.de,\n")
    result = load(
        "name,email,external_id\nAnne,a@x.de,new\nBob,b@x.de,bo\nCy,,new\nCyd,,new\nAnya,,old\nBobo,,bo\n"
    )

    assert (result.created, result.updated, result.rejected) == (1, 5, 0)
    assert [(one["name"], one["external_id"]) for one in kept()] == [
        ("Anya", "old"), ("Bobo", "bo"), ("Cyd", "new"),
    ]  # fmt: skip


def test_of_several_records_with_the_same_address_the_oldest_counts(load, kept, database, tenant):
    fields = [{"id": "name"}, {"id": "email"}, {"id": "score", "type": "number"}]
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": fields}))
    for name in ("first", "second", "third"):
        with database.tenant(tenant) as session:
            records.create(session, tenant, "people", {"name": name, "email": "a@x.de"})
    for score in (1, 2):
        load(f"name,email,score\n,a@x.de,{score}\n,a@x.de,{score + 5}\n", key="email")

    assert [(one["name"], one.get("score")) for one in kept()] == [
        ("first", 7), ("second", None), ("third", None),
    ]  # fmt: skip


def test_two_imports_of_the_same_file_at_once_make_each_record_once(
    load, kept, database, tenant, options, csv_file
):
    path = csv_file("name,email\n" + "".join(f"{n},{n if n % 3 else ''}\n" for n in range(1800)))
    given = options(events="silent")
    with ThreadPoolExecutor(2) as both:
        found = [both.submit(import_file, database, tenant, "people", path, given) for _ in range(2)]

    assert [one.result().rejected for one in found] == [0, 0]
    assert len(kept()) == 1800


def test_rows_set_aside_are_imported_once_they_are_corrected(load, kept, options, database, tenant):
    rejects = Path(load("name,score\nAnna,1\nBo,many\n").rejects_file)
    corrected = rejects.with_name("corrected.csv")
    corrected.write_text(rejects.read_text().replace("Bo,many", "Bo,2"))
    given = options(mapping={"line": None, "problem": None})
    result = import_file(database, tenant, "people", corrected, given)

    assert (result.created, result.rejected) == (1, 0)
    assert kept() == [{"name": "Anna", "score": 1}, {"name": "Bo", "score": 2}]
