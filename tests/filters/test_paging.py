"""Pages of a search: each record once and in order, whatever is sorted by and whatever is created meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from oneo.database import Database
from oneo.errors import UserError
from oneo.store import pipelines, records, search
from oneo.store.pipelines import PipelineField, PipelineSpec

VALUES = [
    3,
    1,
    2,
    2,
    2,
    None,
    None,
    "b",
    "a",
    "a",
    True,
    False,
    [1],
    {"x": 1},
    2.5,
    -1,
    "Z",
    "é",
    10**400,
    1e-320,
]
SORTS: list[dict[str, int]] = [
    {}, {"v": 1}, {"v": -1}, {"plain": 1}, {"plain": -1}, {"v": 1, "n": -1}, {"v": -1, "plain": 1, "n": 1}, {"n": -1},
    {"plain": -1, "v": 1}, {"created_at": -1}, {"stage": 1, "v": -1}, {"id": -1}, {"when": 1}, {"when": -1, "n": 1},
]  # fmt: skip
TIMES = ["2026-01-31T09:00:00+05:30", "2026-01-31T03:00:00Z", "2026-01-31", None, "soon"]


@pytest.fixture
def people(database: Database, tenant: str) -> str:
    fields = [
        PipelineField(id="v", type="json", indexed=True),
        PipelineField(id="plain", type="json"),
        PipelineField(id="n", type="number", indexed=True),
        PipelineField(id="when", type="datetime", indexed=True),
    ]
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="people", fields=fields))
        for number, value in enumerate(VALUES):
            data = {
                "v": value,
                "plain": value,
                "n": number,
                "when": TIMES[number % 5],
                "stage": "ab"[number % 2],
            }
            records.create(session, tenant, "people", data)
    return "people"


def pages(session: Any, limit: int, sort: dict[str, int], **asked: Any) -> Iterator[list[int]]:
    cursor = None
    while True:
        found = search.page(
            session, "people", asked.get("filters", {}), sort=sort, limit=limit, cursor=cursor
        )
        yield [row.data["n"] for row in found.rows]
        cursor = found.cursor
        if cursor is None:
            return


@pytest.mark.parametrize("sort", SORTS, ids=str)
@pytest.mark.parametrize(
    "filters", [{}, {"v": {"$gte": 1}}, {"$or": [{"v": {"$exists": False}}, {"n": {"$lt": 9}}]}], ids=str
)
def test_pages_make_up_the_whole(database: Database, tenant: str, people: str, sort: dict, filters: dict):
    with database.tenant(tenant) as session:
        [whole] = pages(session, 1000, sort, filters=filters)
        for limit in (1, 3, 7):
            found = list(pages(session, limit, sort, filters=filters))
            assert [one for page in found for one in page] == whole
            assert {len(page) for page in found[:-1]} <= {limit}
        assert whole == [row.data["n"] for row in records.find(session, people, filters, sort=sort)]


@pytest.mark.parametrize("direction", [1, -1])
def test_an_index_changes_no_order(database: Database, tenant: str, people: str, direction: int):
    with database.tenant(tenant) as session:
        [indexed] = pages(session, 1000, {"v": direction})
        [plain] = pages(session, 1000, {"plain": direction})
    have_none = {5, 6, 12, 13}
    assert [one for one in indexed if one not in have_none] == [one for one in plain if one not in have_none]
    assert set(indexed[-4:]) == set(plain[-4:]) == have_none


def test_times_are_sorted_as_moments(database: Database, tenant: str, people: str):
    with database.tenant(tenant) as session:
        found = records.find(session, people, {"n": {"$lt": 3}}, sort={"when": 1})
    assert [row.data["when"] for row in found] == [TIMES[2], TIMES[1], TIMES[0]]


def test_what_is_created_meanwhile_moves_nothing(database: Database, tenant: str, people: str):
    with database.tenant(tenant) as session:
        first = search.page(session, people, {}, sort={"n": 1}, limit=5)
        records.create(session, tenant, people, {"n": -5})
        second = search.page(session, people, {}, sort={"n": 1}, limit=5, cursor=first.cursor)
    assert [row.data["n"] for row in second.rows] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "bnVsbA", "WzAsIFtdXQ", "W" * 5000, "eyJhIjogMX0"])
def test_what_is_no_cursor_is_refused(database: Database, tenant: str, people: str, cursor: str):
    with database.tenant(tenant) as session, pytest.raises(UserError, match="does not belong to this search"):
        search.page(session, people, {}, cursor=cursor)


def test_the_cursor_of_another_search_is_refused(database: Database, tenant: str, people: str):
    with database.tenant(tenant) as session:
        cursor = search.page(session, people, {}, sort={"n": 1}, limit=5).cursor
        with pytest.raises(UserError, match="the same pipeline and sort"):
            search.page(session, people, {}, sort={"n": -1}, cursor=cursor)


@pytest.mark.parametrize(
    "values", [[], [1], [1, 2, 3, 4, 5], ["x", "y"], [None, None], ["2026-01-01", "no-id"], [{}, []]]
)
def test_a_cursor_with_other_values_is_refused(database: Database, tenant: str, people: str, values: list):
    from oneo.store.ordering import write_cursor

    cursor = write_cursor(people, {}, values)
    with database.tenant(tenant) as session, pytest.raises(UserError, match="does not belong"):
        search.page(session, people, {}, cursor=cursor)
