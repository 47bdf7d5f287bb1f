"""find_records: which records, in which order, how many, which fields; or their totals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from oneo.store.models import Record
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["find_records"]


@pytest.fixture
def contacts(bench: Bench) -> Bench:
    for name, status, score in [("Ada", "active", 90), ("Bob", "active", 50), ("Cleo", "active", 49)]:
        bench.record("contacts", name=name, email=f"{name.lower()}@x.de", status=status, score=score)
    bench.record("contacts", name="Dan", status="gone", score=99)
    bench.record("contacts", name="Eve", status="active", score="99")
    bench.record("leads", name="Lea", status="active", score=99)
    return bench


def find(bench: Bench, **config: Any) -> Any:
    return bench.node("find_records", {"pipeline_id": "contacts", **config}).output


def names(output: Any) -> list[str]:
    return [one["name"] for one in output["records"]]


def test_the_example_finds_this_weeks_active_contacts_best_first(contacts: Bench) -> None:
    old = contacts.record("contacts", name="Old", status="active", score=77)
    with contacts.database.tenant(contacts.tenant) as session:
        long_ago = datetime.now(UTC) - timedelta(days=8)
        session.execute(update(Record).where(Record.id == old).values(created_at=long_ago))
    output = contacts.node("find_records", EXAMPLE).output
    assert names(output) == ["Ada", "Bob"]
    assert output["count"] == 2
    assert set(output["records"][0]) == {"id", "name", "email"}
    assert output["records"][0]["email"] == "ada@x.de"


def test_without_filters_all_come_oldest_first_with_all_fields(contacts: Bench) -> None:
    output = find(contacts)
    assert names(output) == ["Ada", "Bob", "Cleo", "Dan", "Eve"]
    assert {"status", "score", "created_at", "pipeline_id"} <= set(output["records"][0])


def test_sort_and_limit(contacts: Bench) -> None:
    assert names(find(contacts, sort={"name": -1}, limit=2)) == ["Eve", "Dan"]
    assert names(find(contacts, filters={"status": "active"}, sort={"score": 1}, limit=3))[1:] == [
        "Cleo",
        "Bob",
    ]


def test_filters_may_come_out_of_expressions(contacts: Bench) -> None:
    config = {"pipeline_id": "contacts", "filters": {"name": {"$in": "{{trigger.names}}"}}}
    assert names(contacts.node("find_records", config, {"names": ["Bob", "Dan"]}).output) == ["Bob", "Dan"]


def test_fields_inside_fields(bench: Bench) -> None:
    bench.record("contacts", company={"name": "Oneo", "size": 3})
    output = find(bench, filters={"company.size": 3}, include_fields=["company.name", "company.none", "x.y"])
    assert output["records"] == [{"company.name": "Oneo", "company.none": None, "x.y": None}]


def test_aggregate_counts_and_sums_whatever_the_limit(contacts: Bench) -> None:
    output = find(contacts, aggregate=True, include_fields=["score"], filters={"status": "active"}, limit=1)
    assert output["count"] == 4
    assert output["aggregate"]["score"] == {"sum": 189, "avg": 63, "min": 49, "max": 90}
    assert "records" not in output


def test_aggregate_of_nothing(bench: Bench) -> None:
    output = find(bench, aggregate=True, include_fields=["score"])
    assert output["aggregate"] == {"count": 0, "score": {"sum": None, "avg": None, "min": None, "max": None}}


def test_groups_come_with_their_totals_the_largest_first(contacts: Bench) -> None:
    contacts.record("contacts", name="Fay", score=1)
    output = find(contacts, aggregate=["sum", "count"], include_fields=["score"], group_by=["status"])
    assert output["aggregate"] == {"count": 6, "score": {"sum": 289, "count": 5}}
    assert output["groups"] == [
        {"count": 4, "group": {"status": "active"}, "score": {"sum": 189, "count": 3}},
        {"count": 1, "group": {"status": "gone"}, "score": {"sum": 99, "count": 1}},
        {"count": 1, "group": {"status": None}, "score": {"sum": 1, "count": 1}},
    ]
    assert len(find(contacts, aggregate=True, group_by=["status"], limit=1)["groups"]) == 1


def test_times_have_a_first_and_a_last(bench: Bench) -> None:
    bench.pipeline("visits", {"id": "at", "type": "datetime"})
    for at in ("2026-01-31T10:00:00+05:30", "2026-01-31T05:00:00Z", "soon"):
        bench.record("visits", at=at)
    output = bench.node(
        "find_records",
        {
            "pipeline_id": "visits",
            "aggregate": True,
            "include_fields": ["at"],
            "filters": {"at": {"$gte": "2026-01-01"}},
        },
    ).output
    assert output["count"] == 2
    first, last = datetime(2026, 1, 31, 4, 30, tzinfo=UTC), datetime(2026, 1, 31, 5, tzinfo=UTC)
    read = {
        name: value and datetime.fromisoformat(str(value))
        for name, value in output["aggregate"]["at"].items()
    }
    assert read == {"sum": None, "avg": None, "min": first, "max": last}


def test_a_page_goes_on_where_the_one_before_ended(contacts: Bench) -> None:
    first = find(contacts, sort={"name": 1}, limit=3)
    second = find(contacts, sort={"name": 1}, limit=3, cursor=first["next_cursor"])
    assert names(first) + names(second) == ["Ada", "Bob", "Cleo", "Dan", "Eve"]
    assert second["next_cursor"] is None


def test_filters_of_every_kind(contacts: Bench) -> None:
    filters = {"$or": [{"name": {"$regex": "^[A-C]"}}, {"$search": "EVE"}], "score": {"$not": {"$lt": 50}}}
    assert names(find(contacts, filters=filters)) == ["Ada", "Bob", "Eve"]


def test_nothing_found_is_no_failure(bench: Bench) -> None:
    assert find(bench, filters={"name": "Nobody"}) == {"count": 0, "records": [], "next_cursor": None}


def test_nodes_after_it_see_the_records_in_the_context(contacts: Bench) -> None:
    report = contacts.run(
        workflow(
            {"id": "find", "type": "find_records", "config": {"pipeline_id": "contacts", "limit": 1}},
            {
                "id": "tell",
                "type": "task_notify",
                "config": {
                    "recipients": ["eva"],
                    "title": "{{nodes.find.count}} found",
                    "message": "{{context.records[0].name}}",
                },
            },
        )
    )
    [note] = contacts.notifications_of(report["execution"])
    assert (note.title, note.message) == ("1 found", "Ada")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"pipeline_id": "contakts"}, "there is no pipeline 'contakts' (did you mean 'contacts'?)"),
        ({"filters": {"score": {"$gte": "{{trigger.v}}"}}}, "$gte needs a number or a text, got list"),
        ({"filters": {"created_at": {"$gte": "{{trigger.text}}"}}}, "'soon' is not a date and time"),
        ({"cursor": "{{trigger.text}}"}, "the cursor does not belong to this search"),
        ({"filters": {"name": {"$regex": "{{trigger.pattern}}"}}}, "no ) for a ( at character 3"),
        ({"limit": "{{trigger.n}}"}, "config.limit: Input should be less than or equal to 10000, got 20000"),
        ({"sort": {"name": "{{trigger.n}}"}}, "config.sort.name: Input should be 1 or -1"),
    ],
)
def test_failures_say_where_and_what(bench: Bench, config: dict[str, Any], message: str) -> None:
    data = {"v": [1], "text": "soon", "n": 20000, "pattern": "(a"}
    ran = bench.node("find_records", {"pipeline_id": "contacts", **config}, data)
    assert message in ran.message
    assert ran.error["type"] == "ConfigError"


def test_saving_checks_the_filter_language(bench: Bench) -> None:
    assert bench.problems("find_records", EXAMPLE) == []
    grouped = {"pipeline_id": "contacts", "group_by": ["name"]}
    assert "`group_by` needs `aggregate`" in " ".join(bench.problems("find_records", grouped))
    bad = {"pipeline_id": "contacts", "filters": {"score": {"$gtr": 50}}}
    assert "unknown operator '$gtr'" in " ".join(bench.problems("find_records", bad))
    injected = {"pipeline_id": "contacts", "filters": {'a"; DROP TABLE records': 1}}
    assert "is not a field name" in " ".join(bench.problems("find_records", injected))
