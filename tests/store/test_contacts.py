"""Contacts: who is meant by an address, a number or a name."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from oneo.database import Database
from oneo.store import contacts, deletion, pipelines, records
from oneo.store.contacts import Wanted, normalise
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec


@pytest.fixture
def add(database: Database, tenant: str, leads: str):
    def one(**data: object) -> str:
        with database.tenant(tenant) as session:
            return str(records.create(session, tenant, leads, data).id)

    return one


@pytest.fixture
def meant(database: Database, tenant: str, leads: str):
    def one(strategy: str = "any", threshold: float = 0.8, **criteria: object):
        options = {name: criteria.pop(name) for name in ("region", "weights", "tags") if name in criteria}
        wanted = Wanted(criteria, strategy, threshold, **options)
        with database.tenant(tenant) as session:
            return [match for match in contacts.matches(session, leads, wanted) if match.meant]

    return one


def ids(found) -> list[str]:
    return [str(match.record.id) for match in found]


@pytest.mark.parametrize(
    ("name", "value", "region", "spelling"),
    [
        ("email", "  Anna@X.DE ", None, "anna@x.de"),
        ("work_email", "A@X.de", None, "a@x.de"),
        ("email", "Jose\u0301+News@x.de", None, "jos\u00e9+news@x.de"),
        ("phone", "0171 123 45 67", "DE", "+491711234567"),
        ("phone", "+49 (0)171/1234567", None, "+491711234567"),
        ("mobile", "(202) 555-0142", "US", "+12025550142"),
        ("phone", "0171 1234567", None, "01711234567"),
        ("phone", "n/a", "DE", ""),
        ("name", "  Anna \n  Berg ", None, "Anna Berg"),
        ("prospect_id", 7, None, "7"),
    ],
)
def test_one_spelling_for_many(name: str, value: object, region: str | None, spelling: str):
    assert normalise(name, value, region) == spelling


@pytest.mark.parametrize("held", ["anna@x.de", "Anna@X.de", " ANNA@x.de "])
def test_an_address_agrees_in_any_case(add, meant, held: str):
    anna = add(email=held)
    add(email="bo@x.de")
    (match,) = meant(email="ANNA@x.de")

    assert (str(match.record.id), match.confidence, match.by) == (anna, 1.0, ("email",))


@pytest.mark.parametrize("held", ["0171 1234567", "+49 171 1234567", "0049171/123 45 67"])
def test_a_number_agrees_in_any_spelling_of_its_region(add, meant, held: str):
    anna = add(phone=held)

    assert ids(meant(phone="+49 (171) 1234567", region="DE")) == [anna]


def test_numbers_with_the_same_end_are_different_people(add, meant):
    add(phone="+43 171 1234567")

    assert meant(phone="+49 171 1234567") == []


@pytest.mark.parametrize("nobody", ["n/a", "unknown", "-"])
def test_what_is_no_number_is_nobodys_number(add, meant, nobody: str):
    add(phone="call me")
    add(phone="")

    assert meant(phone=nobody) == []


def test_any_takes_the_best_criterion_and_names_those_that_agree(add, meant):
    anna = add(email="anna@x.de", phone="+491711234567")
    (match,) = meant(email="anna@x.de", phone="+4930999999")

    assert (str(match.record.id), match.confidence, match.by) == (anna, 1.0, ("email",))


def test_all_takes_the_worst(add, meant):
    anna = add(email="anna@x.de", name="Anna Berg")
    add(email="anna@x.de", name="Zoe Tal")
    (match,) = meant("all", 0.8, email="anna@x.de", name="Anna Bergh")

    assert str(match.record.id) == anna
    assert 0.8 <= match.confidence < 1
    assert match.by == ("email", "name")


def test_all_with_a_criterion_that_means_nobody_finds_nobody(add, meant):
    add(email="anna@x.de", phone="n/a")

    assert meant("all", email="anna@x.de", phone="n/a") == []


@pytest.mark.parametrize(
    ("written", "agrees"),
    [
        ("Anna Berg", True),
        ("berg anna", True),
        ("Anna Bergh", True),
        ("Anna  BERG", True),
        ("Otto Ammann", False),
    ],
)
def test_names_agree_by_similarity(add, meant, written: str, agrees: bool):
    add(name="Anna Berg")

    assert bool(meant(name=written)) is agrees


def test_the_threshold_decides(add, meant):
    add(name="Anna Berg")

    assert meant(threshold=0.99, name="Anna Bergh") == []
    assert len(meant(threshold=0.9, name="Anna Bergh")) == 1


def test_without_a_threshold_something_must_agree_still(add, meant):
    add(email="anna@x.de", name="Anna")
    (match,) = meant(threshold=0, email="anna@x.de", phone="+4930123456")

    assert match.by == ("email",)
    assert meant(threshold=0, phone="+4930123456") == []


def test_wildcards_in_a_name_are_letters(add, meant):
    add(name="Anna")

    assert meant(threshold=0, name="%%%") == meant(threshold=0, name="___") == []


def test_of_equals_the_oldest_is_meant_and_of_equally_old_always_the_same(database, tenant, leads, meant):
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    young, *old = [uuid4() for _ in range(3)]
    with database.tenant(tenant) as session:
        rows = [
            {"id": one, "created_at": moment.replace(month=3 if one == young else 1)} for one in (young, *old)
        ]
        common = {"tenant_id": tenant, "pipeline_id": leads, "data": {"email": "a@x.de"}}
        session.execute(insert(Record), [row | common for row in rows])

    assert ids(meant(email="a@x.de")) == [*sorted(map(str, old)), str(young)]


def test_an_exact_address_is_found_among_any_number_of_similar_names(database, tenant, leads, add, meant):
    with database.tenant(tenant) as session:
        rows = [
            {"tenant_id": tenant, "id": uuid4(), "pipeline_id": leads, "data": {"name": f"Anna Nummer {n}"}}
            for n in range(400)
        ]
        session.execute(insert(Record), rows)
    young = add(name="Zoe", email="anna@x.de")
    namesake = add(name="anna  berg")

    assert ids(meant(email="ANNA@x.de", name="Anna Berg")) == [young, namesake]


def test_deleted_contacts_and_other_pipelines_are_not_meant(database: Database, tenant: str, add, meant):
    anna = add(email="anna@x.de")
    with database.tenant(tenant) as session:
        records.delete(session, records.get(session, anna, lock=True))

    assert meant(email="anna@x.de") == []


def test_weights_decide_how_much_a_criterion_counts(add, meant):
    anna = add(email="anna@x.de", phone="+491711234567", name="Anna Berg")
    asked = {"email": "anna@x.de", "phone": "+4930999999", "name": "Anna Berg"}

    assert meant("weighted", 0.7, **asked) == []
    (match,) = meant("weighted", 0.7, weights={"email": 3, "name": 2}, **asked)
    assert (str(match.record.id), match.confidence, match.by) == (anna, 0.833, ("email", "name"))


def test_a_tag_in_an_address_counts_unless_it_is_told_not_to(add, meant):
    anna, news = add(email="anna@x.de"), add(email="Anna+News@x.de")

    assert ids(meant(email="anna@x.de")) == [anna]
    assert ids(meant(email="anna+news@X.de")) == [news]
    assert ids(meant(email="anna+other@x.de", tags=False)) == [anna, news]


@pytest.mark.parametrize(
    ("field", "held", "wanted"),
    [
        ("email", "MÜLLER@x.de", "müller@x.de"),
        ("email", "jose\u0301@x.de", "jos\u00e9@x.de"),
        ("name", "ÉLODIE", "élodie"),
        ("first_name", "Jonathan", "Jonathon"),
        ("phone", "+49 171 1234567 ext. 5", "+491711234567"),
        ("external_id", "crm-7", "crm-7"),
        ("linkedin", " in/anna ", "in/anna"),
    ],
)
def test_other_spellings_and_fields(add, meant, field: str, held: str, wanted: str):
    anna = add(**{field: held})

    assert ids(meant(**{field: wanted})) == [anna]


def test_what_changes_is_found_by_what_it_is_now(database: Database, tenant: str, leads: str, add, meant):
    anna = add(email="old@x.de", name="Anna Berg")
    with database.tenant(tenant) as session:
        row = records.get(session, anna, lock=True)
        records.update(session, row, records.Changes(set={"email": "new@x.de"}))
    assert (ids(meant(email="old@x.de")), ids(meant(email="new@x.de"))) == ([], [anna])

    with database.tenant(tenant) as session:
        deletion.delete(session, records.get(session, anna, lock=True))
    assert meant(email="new@x.de") == []
    with database.tenant(tenant) as session:
        deletion.restore(session, deletion.locate(session, anna))
    assert ids(meant(email="new@x.de")) == [anna]

    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="clients"))
        session.execute(text("UPDATE records SET pipeline_id = 'clients'"))
    assert meant(email="new@x.de") == []


def test_of_many_that_change_at_once_each_is_found_by_what_it_is_now(plain_sql, add, meant):
    ada = add(name="Ada", email="ada@x.de", phone="+49 171 1234567")
    bo = add(name="Bo", email="bo@x.de", phone="+49 171 7654321")
    plain_sql.execute(
        "UPDATE records SET data = jsonb_set(data, '{email}', to_jsonb(replace(data ->> 'email', '@x', '@y')))"
    )
    assert ids(meant(email="ADA@y.de")) == [ada]
    assert ids(meant(email="bo@y.de")) == [bo]
    assert ids(meant(phone="+491717654321")) == [bo]
    assert meant(email="ada@x.de") == []

    plain_sql.execute("UPDATE records SET deleted_at = now()")
    assert meant(email="ada@y.de") == []
    plain_sql.execute("UPDATE records SET deleted_at = NULL")
    assert ids(meant(email="ada@y.de")) == [ada]
