"""Whatever nodes do with records of our own store, they do with rows of a table: one suite, asked of both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sources.companies import Companies

ANNA: dict[str, Any] = {
    "name": "Anna & Co",
    "email": "anna@example.com",
    "score": 10.5,
    "visits": 2,
    "tags": ["new"],
    "address": {"city": "Bonn", "lines": ["a", "b"]},
    "joined": "2026-01-31T09:00:00+00:00",
    "status": "open",
    "active": True,
    "stage": "lead",
    "owner": "eva",
    "external_id": "E1",
}
BERT: dict[str, Any] = {
    "name": "Bert",
    "email": "bert@example.com",
    "score": 9,
    "visits": 10,
    "tags": [],
    "address": {"city": "Ulm"},
    "joined": "2026-03-01T00:00:00+00:00",
    "status": "open",
    "active": False,
    "stage": "customer",
}
CARL: dict[str, Any] = {"name": "carl%_'\"", "score": 100, "status": "closed"}


def node(companies: Companies, kind: str, config: dict[str, Any], data: Any = None) -> Any:
    return companies.bench.node(kind, {"pipeline_id": companies.pipeline, **config}, data).output


def refusal(companies: Companies, kind: str, config: dict[str, Any], data: Any = None) -> tuple[str, str]:
    """Type and text of the error a node ends with."""
    ran = companies.bench.node(kind, {"pipeline_id": companies.pipeline, **config}, data)
    return ran.error["type"], ran.message


@pytest.fixture
def three(companies: Companies) -> list[str]:
    return [companies.add(**one) for one in (ANNA, BERT, CARL)]


# --- find_records ---------------------------------------------------------------------------------------------------
FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "abc"),
    ({"name": "Bert"}, "b"),
    ({"name": {"$ne": "Bert"}}, "ac"),
    ({"email": {"$eq": None}}, "c"),
    ({"email": {"$exists": True}}, "ab"),
    ({"email": {"$exists": False}}, "c"),
    ({"email": {"$in": ["bert@example.com", None]}}, "bc"),
    ({"email": {"$nin": ["bert@example.com"]}}, "ac"),
    ({"score": 9}, "b"),
    ({"score": 9.0}, "b"),
    ({"score": "9"}, ""),
    ({"score": {"$gt": 9}}, "ac"),
    ({"score": {"$gte": 9, "$lt": 100}}, "ab"),
    ({"score": {"$lte": 10.5}}, "ab"),
    ({"score": {"$gt": "9"}}, ""),
    ({"score": {"$in": [9, 100, "x"]}}, "bc"),
    ({"score": {"$gt": 10**30}}, ""),
    ({"visits": 10}, "b"),
    ({"visits": 10.5}, ""),
    ({"visits": True}, ""),
    ({"visits": {"$gte": 2}}, "ab"),
    ({"visits": {"$lt": 10**25}}, "ab"),
    ({"visits": 10**25}, ""),
    ({"active": True}, "a"),
    ({"active": 1}, ""),
    ({"active": {"$ne": True}}, "bc"),
    ({"tags": {"$contains": "new"}}, "a"),
    ({"name": {"$contains": "er"}}, "b"),
    ({"name": {"$contains": "%_'"}}, "c"),
    ({"name": {"$starts_with": "Anna"}}, "a"),
    ({"name": {"$ends_with": '"'}}, "c"),
    ({"name": {"$regex": "^[A-Z]"}}, "ab"),
    ({"name": {"$regex": "(?i)ANNA"}}, "a"),
    ({"name": {"$search": "co anna"}}, "a"),
    ({"$search": "bonn"}, "a"),
    ({"$search": "customer"}, "b"),
    ({"$search": "city"}, ""),
    ({"address.city": "Ulm"}, "b"),
    ({"address.lines.1": "b"}, "a"),
    ({"address.city.x": "Ulm"}, ""),
    ({"address": {"$search": "ulm"}}, "b"),
    ({"joined": "2026-01-31T10:00:00+01:00"}, "a"),
    ({"joined": {"$gte": "2026-02-01"}}, "b"),
    ({"joined": {"$lt": "2026-02-01"}}, "a"),
    ({"joined": {"$ne": "2026-01-31T09:00:00Z"}}, "bc"),
    ({"joined": None}, "c"),
    ({"joined": {"$in": [None, "2026-03-01"]}}, "bc"),
    ({"created_at": {"$gt": "2020-01-01"}}, "abc"),
    ({"created_at": {"$lt": "2020-01-01"}}, ""),
    ({"updated_at": {"$exists": True}}, "abc"),
    ({"stage": "lead"}, "a"),
    ({"stage": None}, "c"),
    ({"owner": {"$starts_with": "e"}}, "a"),
    ({"external_id": "E1"}, "a"),
    ({"version": 1}, "abc"),
    ({"pipeline_id": "companies"}, "abc"),
    ({"pipeline_id": "others"}, ""),
    ({"id": "no such id"}, ""),
    ({"$or": [{"name": "Bert"}, {"score": {"$gt": 50}}]}, "bc"),
    ({"$and": [{"status": "open"}, {"$not": {"name": "Bert"}}]}, "a"),
    ({"score": {"$not": {"$gt": 50}}}, "ab"),
    ({"name": "x'; DROP TABLE companies; --"}, ""),
    ({"name": {"$contains": "\\"}}, ""),
    ({"name": {"$regex": "'"}}, "c"),
]


@pytest.mark.parametrize(("filters", "wanted"), FILTERS, ids=str)
def test_filters(companies: Companies, three: list[str], filters: dict[str, Any], wanted: str) -> None:
    names = dict(zip(three, "abc", strict=True))
    output = node(companies, "find_records", {"filters": filters})
    assert "".join(names[one["id"]] for one in output["records"]) == wanted
    assert node(companies, "find_records", {"filters": filters, "aggregate": True})["count"] == len(wanted)


def test_a_record_is_found_by_its_id(companies: Companies, three: list[str]) -> None:
    output = node(companies, "find_records", {"filters": {"id": {"$in": [three[1], "x", three[2]]}}})
    assert [one["id"] for one in output["records"]] == three[1:]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"nmae": "Bert"}, "did you mean 'name'?"),
    ({"nmae.x": "Bert"}, "has no field 'nmae'"),
    ({'a"; DROP TABLE companies; --': 1}, "is not a field name"),
    ({"name": {"$gt": None}}, "needs a number or a text"),
    ({"name": {"$near": 1}}, "unknown operator '$near'"),
    ({"name": {"$regex": "(a"}}, "pattern"),
    ({"name": {"$regex": r"(a)\1"}}, "pattern"),
    ({"joined": "yesterday"}, "is not a date and time"),
    ({"password_hash": {"$exists": True}}, "has no field 'password_hash'"),
]


@pytest.mark.parametrize(("filters", "message"), REFUSED, ids=[f"refused {n}" for n in range(len(REFUSED))])
def test_filters_that_cannot_be_read(companies: Companies, filters: dict[str, Any], message: str) -> None:
    config = {"filters": "{{ trigger.filters }}"}
    kind, text = refusal(companies, "find_records", config, {"filters": filters})
    assert kind == "ConfigError"
    assert message in text


SORTS: list[tuple[dict[str, int], str]] = [
    ({}, "abc"),
    ({"name": 1}, "abc"),
    ({"name": -1}, "cba"),
    ({"score": 1}, "bac"),
    ({"score": -1}, "cab"),
    ({"visits": 1}, "abc"),
    ({"visits": -1}, "bac"),
    ({"status": 1, "score": -1}, "cab"),
    ({"status": -1, "name": -1}, "bac"),
    ({"joined": 1}, "abc"),
    ({"joined": -1}, "bac"),
    ({"active": 1}, "bac"),
    ({"address.city": -1}, "bac"),
    ({"created_at": -1}, "cba"),
    ({"stage": 1}, "bac"),
    ({"tags": 1}, "abc"),
    ({"tags": -1}, "cba"),
]


@pytest.mark.parametrize(("sort", "wanted"), SORTS, ids=str)
def test_sorts_and_pages(companies: Companies, three: list[str], sort: dict[str, int], wanted: str) -> None:
    names = dict(zip(three, "abc", strict=True))
    whole = node(companies, "find_records", {"sort": sort})
    assert "".join(names[one["id"]] for one in whole["records"]) == wanted
    assert whole["next_cursor"] is None
    pages, cursor = "", None
    for _ in wanted:
        config: dict[str, Any] = {"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = node(companies, "find_records", config)
        pages += "".join(names[one["id"]] for one in page["records"])
        cursor = page["next_cursor"]
    assert (pages, cursor) == (wanted, None)


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsIFsxXV0", "'; DROP TABLE x; --"])
def test_a_cursor_of_nobodys(companies: Companies, three: list[str], cursor: str) -> None:
    kind, text = refusal(companies, "find_records", {"cursor": cursor})
    assert kind == "ConfigError"
    assert "the cursor does not belong to this search" in text


def test_a_sort_by_what_is_no_field(companies: Companies) -> None:
    assert "did you mean 'score'?" in refusal(companies, "find_records", {"sort": {"skore": 1}})[1]


def test_only_some_fields(companies: Companies, three: list[str]) -> None:
    output = node(companies, "find_records", {"include_fields": ["name", "address.city"], "limit": 2})
    assert output["records"] == [
        {"name": "Anna & Co", "address.city": "Bonn"},
        {"name": "Bert", "address.city": "Ulm"},
    ]


def test_a_record_has_its_fields_and_what_is_beside_them(companies: Companies, three: list[str]) -> None:
    [found] = node(companies, "find_records", {"filters": {"name": "Anna & Co"}})["records"]
    assert {name: found[name] for name in ANNA if name != "joined"} == {
        name: value for name, value in ANNA.items() if name != "joined"
    }
    assert (found["id"], found["pipeline_id"], found["version"]) == (three[0], "companies", 1)
    assert found["created_at"].startswith("20")
    assert "password_hash" not in found


def test_totals(companies: Companies, three: list[str]) -> None:
    config = {"aggregate": True, "include_fields": ["score", "visits", "joined", "name"]}
    found = node(companies, "find_records", config)["aggregate"]
    assert found["score"] == {"sum": 119.5, "avg": pytest.approx(119.5 / 3), "min": 9, "max": 100}
    assert found["visits"] == {"sum": 12, "avg": 6, "min": 2, "max": 10}
    assert found["name"] == {"sum": None, "avg": None, "min": None, "max": None}
    assert found["joined"]["sum"] is None
    assert found["joined"]["max"].startswith("2026-03-01T00:00:00")


def test_groups(companies: Companies, three: list[str]) -> None:
    config = {"aggregate": ["count", "max"], "include_fields": ["score"], "group_by": ["status"]}
    assert node(companies, "find_records", config)["groups"] == [
        {"count": 2, "group": {"status": "open"}, "score": {"count": 2, "max": 10.5}},
        {"count": 1, "group": {"status": "closed"}, "score": {"count": 1, "max": 100}},
    ]
    by_city = node(companies, "find_records", {"aggregate": True, "group_by": ["address.city"], "limit": 9})
    assert sorted(str(one["group"]["address.city"]) for one in by_city["groups"]) == ["Bonn", "None", "Ulm"]


# --- create_record --------------------------------------------------------------------------------------------------
def test_create(companies: Companies) -> None:
    output = node(companies, "create_record", {"record_data": ANNA})
    assert (output["created"], output["merged"]) == (True, False)
    kept = companies.get(output["record_id"])
    assert kept is not None
    expected = {name: value for name, value in ANNA.items() if name != "joined"}
    assert {name: kept[name] for name in expected} == expected
    assert output["record"]["version"] == 1
    assert output["record"]["joined"].startswith("2026-01-31T09:00:00")


CREATE_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"record_data": {"score": "many"}}, "field 'score'"),
    ({"record_data": {"visits": 1.5}}, "field 'visits'"),
    ({"record_data": {"email": "nobody"}}, "field 'email'"),
    ({"record_data": {"stage": "lost"}}, "there is no stage 'lost'"),
    ({"record_data": {"id": "7"}}, "the store keeps it itself"),
    ({"record_data": {"joined": "soon"}}, "field 'joined'"),
]


@pytest.mark.parametrize(("config", "message"), CREATE_REFUSED, ids=str)
def test_what_no_record_can_hold(companies: Companies, config: dict[str, Any], message: str) -> None:
    kind, text = refusal(companies, "create_record", config)
    assert kind == "ConfigError"
    assert message in text
    assert companies.all() == []


def test_validation_may_be_skipped(companies: Companies) -> None:
    config = {"record_data": {"stage": "lost", "email": "nobody"}, "skip_validation": True}
    assert node(companies, "create_record", config)["record"]["stage"] == "lost"


def test_a_unique_value_twice(companies: Companies, three: list[str]) -> None:
    kind, text = refusal(companies, "create_record", {"record_data": {"email": "anna@example.com"}})
    assert kind == "PermanentNodeError"
    assert "field 'email' is unique, and record" in text
    assert "merge_if_exists" in text
    assert len(companies.all()) == 3


DUPLICATES: list[tuple[dict[str, Any], str]] = [
    ({"record_data": {"email": "anna@example.com"}, "check_duplicates": True}, "a"),
    (
        {"record_data": {"external_id": "E1"}, "check_duplicates": True, "duplicate_fields": ["external_id"]},
        "a",
    ),
    ({"record_data": {"status": "open"}, "check_duplicates": True, "duplicate_fields": ["status"]}, "a"),
    (
        {
            "record_data": {"status": "open", "name": "Bert"},
            "check_duplicates": True,
            "duplicate_fields": ["status", "name"],
            "duplicate_strategy": "all",
        },
        "b",
    ),
    (
        {
            "record_data": {"status": "open", "name": "Zoe"},
            "check_duplicates": True,
            "duplicate_fields": ["status", "name"],
            "duplicate_strategy": "all",
        },
        "",
    ),
    ({"record_data": {"email": ""}, "check_duplicates": True, "skip_validation": True}, ""),
]


@pytest.mark.parametrize(("config", "wanted"), DUPLICATES, ids=str)
def test_duplicates(companies: Companies, three: list[str], config: dict[str, Any], wanted: str) -> None:
    output = node(companies, "create_record", config)
    assert output["created"] is (wanted == "")
    assert output["record_id"] == dict(zip("abc", three, strict=True)).get(wanted, output["record_id"])
    assert len(companies.all()) == (3 if wanted else 4)


@pytest.mark.parametrize(
    ("how", "name", "owner"), [("overwrite", "New", "eva"), ("fill_gaps", "Anna & Co", "eva")]
)
def test_merging_into_the_duplicate(
    companies: Companies, three: list[str], how: str, name: str, owner: str
) -> None:
    data = {"email": "anna@example.com", "name": "New", "owner": "eva"}
    output = node(
        companies, "create_record", {"record_data": data, "merge_if_exists": True, "merge_values": how}
    )
    assert (output["merged"], output["record_id"]) == (True, three[0])
    kept = companies.get(three[0])
    assert kept is not None
    assert (kept["name"], kept["owner"]) == (name, owner)


def test_twenty_who_create_the_same_create_one(companies: Companies) -> None:
    config = {"record_data": {"name": "One"}, "check_duplicates": True, "duplicate_fields": ["name"]}
    with ThreadPoolExecutor(10) as pool:
        outputs = list(pool.map(lambda _: node(companies, "create_record", config), range(20)))
    assert sum(one["created"] for one in outputs) == 1
    assert len({one["record_id"] for one in outputs}) == 1


# --- update_record --------------------------------------------------------------------------------------------------
UPDATES: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({"update_fields": {"name": "B", "stage": "lead"}}, ["name", "stage"], {"name": "B", "stage": "lead"}),
    ({"update_fields": {"name": "Bert"}}, [], {"name": "Bert", "version": 1}),
    ({"update_fields": {"address.city": "Köln"}}, ["address"], {"address": {"city": "Köln"}}),
    ({"update_fields": {"address": None}}, ["address"], {"address": None}),
    ({"update_fields": {"external_id": 12}}, ["external_id"], {"external_id": "12"}),
    ({"update_fields": {"owner": "eva"}}, ["owner"], {"owner": "eva", "version": 2}),
    (
        {"update_fields": {"joined": "2026-03-01T01:00:00+01:00", "active": True}},
        ["active"],
        {"active": True},
    ),
    ({"increment_fields": {"score": 1}}, ["score"], {"score": 10}),
    ({"increment_fields": {"visits": -3, "score": 0.5}}, ["visits", "score"], {"visits": 7, "score": 9.5}),
    ({"append_to_arrays": {"tags": ["x", "y"]}}, ["tags"], {"tags": ["x", "y"]}),
    ({"unset_fields": ["email", "stage"]}, ["email", "stage"], {"email": None, "stage": None}),
    ({"update_fields": {"name": "C"}, "only_if": {"score": {"$lt": 10}}}, ["name"], {"name": "C"}),
    ({"update_fields": {"name": "C"}, "only_if": {"score": 10}}, [], {"name": "Bert", "version": 1}),
    ({"update_fields": {"name": "C"}, "expected_version": 1}, ["name"], {"name": "C", "version": 2}),
    ({"update_fields": {"stage": "lost"}, "skip_validation": True}, ["stage"], {"stage": "lost"}),
    ({"update_fields": {"name": "x'; DROP TABLE t; --"}}, ["name"], {"name": "x'; DROP TABLE t; --"}),
]


@pytest.mark.parametrize(("config", "changed", "after"), UPDATES, ids=str)
def test_update(
    companies: Companies, three: list[str], config: dict[str, Any], changed: list[str], after: dict[str, Any]
) -> None:
    if "joined" in config.get("update_fields", {}) and not hasattr(companies, "crm"):
        changed = ["joined", *changed]  # our own store keeps times as they were written
    output = node(companies, "update_record", {"record_id": three[1], **config})
    assert sorted(output["changed"]) == sorted(changed)
    assert bool(output["skipped"]) is ("only_if" in config and not changed)
    kept = companies.get(three[1]) or {}
    assert {name: kept.get(name) for name in after} == after
    shown = output["record"]
    assert {name: shown.get(name) for name in after} == after


UPDATE_REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"update_fields": {"score": "x"}}, "ConfigError", "field 'score'"),
    ({"increment_fields": {"name": 1}}, "ConfigError", "cannot be incremented"),
    ({"append_to_arrays": {"name": [1]}}, "ConfigError", "is not a list"),
    ({"update_fields": {"name.first": "x"}}, "ConfigError", "has no fields inside"),
    ({"update_fields": {"version": 7}}, "ConfigError", "the store keeps it itself"),
    ({"update_fields": {"name": "x"}, "expected_version": 3}, "PermanentNodeError", "has version 1"),
    ({"update_fields": {"email": "anna@example.com"}}, "PermanentNodeError", "field 'email' is unique"),
    ({"update_fields": {"name": "x"}, "record_id": "99999"}, "ConfigError", "there is no record 99999"),
    ({"update_fields": {"name": "x"}, "record_id": "x'; --"}, "ConfigError", "there is no record x'; --"),
]


@pytest.mark.parametrize(("config", "kind", "message"), UPDATE_REFUSED, ids=str)
def test_updates_that_cannot_be_made(
    companies: Companies, three: list[str], config: dict[str, Any], kind: str, message: str
) -> None:
    before = companies.all()
    found, text = refusal(companies, "update_record", {"record_id": three[1], **config})
    assert found == kind
    assert message in text
    assert companies.all() == before


def test_all_that_fit_are_updated(companies: Companies, three: list[str]) -> None:
    config = {"filters": {"status": "open"}, "limit": 1, "update_fields": {"status": "done"}}
    output = node(companies, "update_record", config)
    assert output == {"updated": [three[0]], "count": 1, "found": 1, "remaining": 1, "created": None}


def test_who_is_looked_for_and_not_found_is_created(companies: Companies, three: list[str]) -> None:
    config = {
        "filters": {"name": "Zoe", "score": {"$gt": -1}},
        "create_if_not_found": True,
        "update_fields": {"status": "new"},
        "increment_fields": {"score": 3},
    }
    output = node(companies, "update_record", config)
    kept = companies.get(output["created"])
    assert kept is not None
    assert (kept["name"], kept["status"], kept["score"]) == ("Zoe", "new", 3)
    assert node(companies, "update_record", config)["created"] is None


def test_fifty_at_once_lose_no_increment(companies: Companies, three: list[str]) -> None:
    config = {"record_id": three[0], "increment_fields": {"visits": 1}, "append_to_arrays": {"tags": ["x"]}}
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: node(companies, "update_record", config), range(50)))
    kept = companies.get(three[0])
    assert kept is not None
    assert (kept["visits"], len(kept["tags"]), kept["version"]) == (52, 51, 51)


# --- delete_record --------------------------------------------------------------------------------------------------
def test_a_soft_delete_and_its_undoing(companies: Companies, three: list[str]) -> None:
    output = node(companies, "delete_record", {"record_id": three[0]})
    assert (output["deleted"], output["count"], output["children"]) == ([three[0]], 1, 0)
    assert companies.get(three[0]) is None
    assert node(companies, "find_records", {"filters": {"id": three[0]}})["count"] == 0
    assert "was deleted already" in refusal(companies, "delete_record", {"record_id": three[0]})[1]
    back = node(companies, "delete_record", {"record_id": three[0], "restore": True})
    assert (back["restored"], back["record"]["name"]) == ([three[0]], "Anna & Co")
    assert companies.get(three[0]) is not None
    assert (
        "is not deleted" in refusal(companies, "delete_record", {"record_id": three[0], "restore": True})[1]
    )


def test_a_record_is_removed_for_good(companies: Companies, three: list[str]) -> None:
    node(companies, "delete_record", {"record_id": three[0], "soft_delete": False})
    assert companies.get(three[0]) is None
    assert "there is no record" in refusal(companies, "delete_record", {"record_id": three[0]})[1]


def test_all_that_fit_are_deleted(companies: Companies, three: list[str]) -> None:
    output = node(companies, "delete_record", {"filters": {"status": "open"}, "limit": 1})
    assert (output["deleted"], output["remaining"]) == ([three[0]], 1)


# --- the execution's own record ---------------------------------------------------------------------------------------
def test_a_workflow_is_about_a_record(companies: Companies, three: list[str]) -> None:
    """`record` is read when it is asked for, and nodes without a record_id mean it."""
    data = {"record_id": three[0], "pipeline_id": companies.pipeline}
    document = {
        "name": "w",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {
                "id": "up",
                "type": "update_record",
                "config": {"update_fields": {"score": "{{ record.score + 1 }}"}},
            },
            {"id": "set", "type": "set_variable", "config": {"variables": {"now": "{{ record.score }}"}}},
            {"id": "gone", "type": "delete_record", "config": {}},
        ],
    }
    report = companies.bench.run(document, data)
    assert report["status"] == "success", report
    assert report["nodes"]["up"]["output"]["record"]["score"] == 11.5
    assert report["nodes"]["set"]["output"]["now"] == 11.5
    assert companies.get(three[0]) is None
