"""Sorting, limits, counts and sums over the records of a pipeline."""

from __future__ import annotations

import pytest

from oneo.database import Database
from oneo.errors import UserError
from oneo.store import records
from oneo.store.totals import totals


@pytest.fixture
def found(database: Database, tenant: str, leads: str):
    """Names of the records found, of seven in all."""
    people = [
        {"name": "a", "score": 10, "stage": "new"},
        {"name": "b", "score": 9, "stage": "hot"},
        {"name": "c", "score": None},
        {"name": "d"},
        {"name": "e", "score": "7"},
        {"name": "f", "score": 9.5, "company": {"size": 3}},
        {"name": "g", "score": True, "company": {"size": 20}},
    ]
    with database.tenant(tenant) as session:
        for person in people:
            records.create(session, tenant, leads, person)

    def names(filters: dict | None = None, **options: object) -> str:
        with database.tenant(tenant) as session:
            rows = records.find(session, leads, filters or {}, **options)
            return "".join(row.data["name"] for row in rows)

    return names


def test_numbers_sort_by_size_and_what_has_none_comes_last(found):
    by_score = found({"score": {"$gt": 0}}, sort={"score": 1})
    everything = found(sort={"score": -1, "name": 1})

    assert by_score == "bfa"
    assert everything.endswith("cd")
    assert found(sort={"score": 1, "name": 1}).endswith("cd")


def test_each_search_finds_what_it_asks_for_whatever_others_asked_before(found):
    def asked(filters: dict, limit: int = 9) -> str:
        return found(filters, sort={"name": 1}, limit=limit)

    # Alike in all but their values, or in all but the types of these.
    assert [asked({"score": {"$gte": least}}) for least in (9, 10, 9.5)] == ["abf", "a", "af"]
    assert [asked({"score": value}) for value in ("7", 9, True, 1, "9")] == ["e", "b", "g", "", ""]
    assert [asked({"$or": [{"name": one}, {"name": other}]}) for one, other in ("ab", "cd")] == ["ab", "cd"]
    assert [asked({"name": {"$ne": "a"}}, most) for most in (1, 3)] == ["b", "bcd"]
    assert [asked({"stage": stage}) for stage in ("hot", "new", None)] == ["b", "a", "cdefg"]


def test_fields_weigh_in_their_order(found):
    assert found({"name": {"$in": ["a", "b", "f"]}}, sort={"stage": 1, "name": -1}) == "baf"


def test_nested_fields_and_times_sort_too(found):
    assert (
        found({"company": {"$exists": True}} | {"company.size": {"$gt": 0}}, sort={"company.size": -1})
        == "gf"
    )
    assert sorted(found(sort={"created_at": -1})) == list("abcdefg")


def test_a_limit_keeps_the_first(found):
    assert found(sort={"name": 1}, limit=2) == "ab"


@pytest.mark.parametrize("limit", [0, -1, records.MAX_LIMIT + 1])
def test_a_limit_outside_its_bounds_is_refused(found, limit: int):
    with pytest.raises(UserError, match="limit is"):
        found(limit=limit)


@pytest.mark.parametrize("sort", [{"name": 2}, {"name": "asc"}, {'a"; DROP': 1}, {"a\x00": 1}, {"": 1}])
def test_a_sort_that_cannot_be_read_is_refused(found, sort: dict):
    with pytest.raises(UserError, match="sort"):
        found(sort=sort)


def test_count_and_sums_take_numbers_only(database: Database, tenant: str, leads: str, found):
    with database.tenant(tenant) as session:
        [summed] = totals(session, leads, {}, ["score", "company.size", "missing", "version"])

    assert summed["count"] == 7
    assert {name: float(value) for name, value in summed["score"].items()} == {
        "sum": 28.5,
        "avg": 9.5,
        "min": 9,
        "max": 10,
    }
    assert float(summed["company.size"]["avg"]) == 11.5
    assert summed["missing"] == dict.fromkeys(("sum", "avg", "min", "max"))
    assert summed["version"]["sum"] == 7


@pytest.mark.parametrize("field", ["count", 'x"', ""])
def test_a_field_that_cannot_be_summed_is_refused(database: Database, tenant: str, leads: str, field: str):
    with database.tenant(tenant) as session, pytest.raises(UserError):
        totals(session, leads, {}, [field])


def test_other_pipelines_are_not_searched(database: Database, tenant: str, found):
    with database.tenant(tenant) as session:
        assert records.count(session, "contacts", {}) == 0
        assert records.count(session, "leads", {"stage": None}) == 5
