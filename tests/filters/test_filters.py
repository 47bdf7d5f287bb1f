"""Filters mean the same in memory (what starts a workflow) as in SQL (what a search finds)."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from oneo.database import Database
from oneo.errors import UserError
from oneo.filters import OPERATORS, matches, parse
from oneo.store import pipelines, records
from oneo.store.models import Record, RecordEvent
from oneo.store.pipelines import PipelineField, PipelineSpec

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 1.0, 0.1, 1e23, 10**23, 2**53, 2**53 + 1, "", "1", "10", "9", "true", "a", "A",
    "ab", "b", "é", "e\u0301", "日本", "\U0001f600", "\uffff", "a b", "a%", "a_b", "null",
    "Ann Berlin", "ann-berlin, O'Brien", "BERLIN", "2026-01-31", "2026-02-30", "2026-01-31T09:00:00+05:30",
    "x" * 300, "x" * 300 + "y",
    1e-320, 10**400, "Straße", "a\nb",
    [], [1], ["a", "b"], [None], [True], [[1]], [1.0, "1"], ["ab"], {}, {"a": 1}, {"0": "a"}, {"b": {"c": 2}},
]  # fmt: skip
# Moments in several spellings, and what is none.
TIMES = [
    "2026-01-31T03:30:00Z", "2026-01-31T00:00:00", "2026-01-31 00:00", "2026-01-31T24:00:00", "2026-01-31T09:00:60",
    "0001-01-01", "0000-01-01", "9999-12-31T23:59:59.999999-14:59", "2026-01-31T09:00:00.5+0530",
    "2026-01-31T09:00:00+15:00", "now", "infinity", "2026-1-31", "2024-02-29", "2026-W05-6", "20260131",
]  # fmt: skip
SCALARS = [value for value in VALUES if not isinstance(value, list | dict)]
WANTED = {
    "$eq": SCALARS,
    "$ne": SCALARS,
    "$gt": [value for value in SCALARS if isinstance(value, str | float) or type(value) is int],
    "$in": [[], [None], [1, "a"], [True], ["1", 2.0], [False, None]],
    "$contains": SCALARS,
    "$starts_with": [value for value in SCALARS if isinstance(value, str)],
    "$exists": [True, False],
    "$regex": [
        "",
        "a",
        "^a",
        "b$",
        "^a.b$",
        "(?i)^ANN",
        "[a-b]+",
        "[^a]",
        "a|^1",
        "\\d{2,}",
        "^\\w+$",
        "\\s",
        "\\bberlin\\b",
        "(?i)\\bberlin",
        "(a|b)*b",
        "(?:x?){90}y",
        "é",
        "[\U0001f600-\U0001f64f]",
        "(?i)STRASSE",
        "\\.",
        "[-a]",
        "[a-]",
        "()",
        "a||b",
        "\\W",
        "\\D\\d",
        "x{100}x{100}x{100}y",
        "(?i)[A-B]",
        "(?i)É",
        "^$",
        "$^",
        "\\ba",
        "[\\d-]+",
    ],
    "$search": ["ann", "BERLIN ann", "o'brien", "berli", "日本", "a", "é", "straße", "1 10", "x" * 100],
}
# Fields of a pipeline that declares them.
TYPES = {"v": "text", "plain": "text", "when": "datetime", "day": "date", "score": "number"}
INDEXED = {"v", "when", "score"}
WANTED |= dict.fromkeys(("$gte", "$lt", "$lte"), WANTED["$gt"])
WANTED |= {"$nin": WANTED["$in"], "$ends_with": WANTED["$starts_with"]}


def agree(session: Any, images: dict[str, Any], filters: dict[str, Any], pipeline: str = "leads") -> None:
    """Both sides find the same."""
    clauses = parse(filters, TYPES if pipeline == "typed" else None)
    images = {key: image for key, image in images.items() if image["pipeline_id"] == pipeline}
    in_memory = {record_id for record_id, image in images.items() if matches(clauses, image) is None}
    in_sql = {str(row.id) for row in records.find(session, pipeline, filters, limit=1000)}
    assert in_sql == in_memory, (filters, [images[one] for one in in_sql ^ in_memory])


def images_of(session: Any) -> dict[str, Any]:
    rows = session.scalars(select(RecordEvent)).all()
    return {str(row.record_id): records.view_image(row.after) for row in rows}


@pytest.fixture(scope="module")
def filled(database: Database) -> tuple[str, dict[str, Any]]:
    """A tenant with a record of each value, and of none."""
    from oneo.store import tenants

    tenant_id = "filters"
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    with database.tenant(tenant_id) as session:
        pipelines.apply(session, tenant_id, PipelineSpec(id="leads"))
        fields = [PipelineField(id=name, type=kind, indexed=name in INDEXED) for name, kind in TYPES.items()]
        pipelines.apply(session, tenant_id, PipelineSpec(id="typed", fields=fields))
        for value in VALUES:
            same = dict.fromkeys(TYPES, value)
            records.create(session, tenant_id, "typed", {**same, "deep": {"v": value}, "list": [value]})
        for value in TIMES:
            records.create(session, tenant_id, "typed", dict.fromkeys(TYPES, value))
        for value in VALUES:
            records.create(session, tenant_id, "leads", {"v": value, "deep": {"v": value}, "list": [value]})
        for number, stage in enumerate([None, "new", "hot"]):
            columns = {"stage": stage, "owner": "bo" if stage else None, "external_id": f"x{number}"}
            records.create(session, tenant_id, "leads", {"n": number, **columns})
    with database.tenant(tenant_id) as session:
        return tenant_id, images_of(session)


@pytest.mark.parametrize("operator", OPERATORS)
def test_memory_and_sql_agree_on_every_value(database: Database, filled, operator: str):
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        for wanted in WANTED[operator]:
            for field in ("v", "deep.v", "list.0"):
                agree(session, images, {field: {operator: wanted}})
                agree(session, images, {field: {operator: wanted}}, "typed")
            agree(session, images, {"score": {"$not": {operator: wanted}}}, "typed")


@pytest.mark.parametrize("operator", ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
@pytest.mark.parametrize("field", ["when", "day"])
def test_fields_of_type_date_compare_as_moments(database: Database, filled, operator: str, field: str):
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        for wanted in [
            "2026-01-31",
            "2026-01-31T09:00:00+05:30",
            "2024-02-29T00:00:00Z",
            "0001-01-01",
            datetime.max,
        ]:
            agree(session, images, {field: {operator: wanted}}, "typed")
            agree(session, images, {field: {"$in": [wanted, "2026-01-31"]}}, "typed")
        if operator in ("$eq", "$ne"):
            agree(session, images, {field: {operator: None}}, "typed")
        same = records.find(session, "typed", {"when": "2026-01-31T03:30:00+00:00"})
        assert {row.data["when"] for row in same} == {"2026-01-31T09:00:00+05:30", "2026-01-31T03:30:00Z"}


@pytest.mark.parametrize(
    "filters",
    [
        {"$or": [{"v": "a"}, {"v": 1}]}, {"$and": [{"v": {"$gt": "a"}}, {"v": {"$lt": "b"}}]}, {"$not": {"v": "a"}},
        {"$not": {}},
        {"$or": [{"v": "a", "deep.v": 1}, {"$not": {"v": {"$exists": True}}}]}, {"$and": [{}]}, {"$or": [{}, {"v": 1}]},
        {"v": {"$not": {"$gte": 1, "$lte": 2}}}, {"$search": "ann BERLIN"}, {"$not": {"$search": "berlin"}},
        {"$search": "hot"},
        {"$search": "leads"}, {"$or": [{"stage": "hot"}, {"$search": "bo"}]}, {"external_id": "x1"},
        {"external_id": {"$in": ["x0", None]}},
    ],
)  # fmt: skip
def test_filters_can_be_put_together(database: Database, filled, filters: dict):
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        agree(session, images, filters)


@pytest.mark.parametrize(
    "field",
    ["list.-1", "list.1", "list.x", "list. 0", "v.0", "v.a", "v.b.c", "missing", "stage.x", "v.99999999999"],
)
@pytest.mark.parametrize("condition", [{"$exists": True}, {"$eq": 1}, {"$ne": "a"}, {"$contains": "a"}])
def test_memory_and_sql_walk_paths_alike(database: Database, filled, field: str, condition: dict):
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        agree(session, images, {field: condition})


@pytest.mark.parametrize(
    "filters",
    [
        {"stage": "new"}, {"stage": None}, {"stage": {"$exists": False}}, {"owner": {"$in": ["bo", "al"]}},
        {"external_id": {"$starts_with": "x"}}, {"version": 1}, {"version": {"$gt": 0}}, {"version": {"$lt": "2"}},
        {"pipeline_id": "leads"}, {"pipeline_id": {"$ne": "leads"}}, {"id": {"$exists": True}}, {"id": "x"},
        {"id": {"$contains": "a"}}, {"stage": {"$gte": "i"}, "n": {"$lt": 2}}, {},
    ],
)  # fmt: skip
def test_system_fields_are_columns_on_both_sides(database: Database, filled, filters: dict):
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        agree(session, images, filters)


@pytest.mark.parametrize("operator", ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_times_compare_as_moments_whatever_their_spelling(
    database: Database, tenant: str, leads: str, operator: str, zone: str
):
    with database.tenant(tenant) as session:
        session.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
        row = records.create(session, tenant, leads, {})
        moment = session.scalar(select(Record.created_at).where(Record.id == row.id))
        images = images_of(session)
        for offset in (
            timedelta(0),
            timedelta(microseconds=1),
            timedelta(microseconds=-1),
            timedelta(days=1),
        ):
            for written in (UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=14))):
                value: Any = (moment + offset).astimezone(written).isoformat()
                value = [value] if operator in ("$in", "$nin") else value
                agree(session, images, {"created_at": {operator: value}})
        agree(session, images, {"created_at": {"$eq": None}, "updated_at": {"$exists": True}})


def test_a_time_finds_what_it_means(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {})
        found = [
            records.count(session, leads, {"created_at": {operator: value}})
            for operator, value in [
                ("$gte", "2020-01-01"),
                ("$lt", "2020-01-01"),
                ("$gte", datetime(2020, 1, 1)),
            ]
        ]
    assert found == [1, 0, 1]


@pytest.mark.parametrize("value", ["yesterday", 5, True, "2026-13-01"])
def test_a_time_compared_with_something_else_is_refused(value: Any):
    with pytest.raises(UserError, match=r"date and time|needs a number"):
        parse({"created_at": {"$gte": value}})


def test_a_time_is_no_text():
    with pytest.raises(UserError, match="is a time"):
        parse({"created_at": {"$starts_with": "2026"}})


def test_an_expression_that_has_no_value_yet_is_left_for_later():
    filters: dict[str, Any] = {
        "created_at": {"$gte": "{{last_week}}"},
        "name": {"$in": "{{names}}", "$regex": "{{["},
    }

    assert len(parse(filters, expressions=True)) == 3
    with pytest.raises(UserError, match=r"not a date and time.*\$in needs a list.*the pattern has"):
        parse(filters)


def test_values_of_expressions_are_plain_values():
    filters = {
        "price": {"$gte": Decimal("1.5")},
        "at": datetime(2026, 1, 31, tzinfo=UTC),
        "ref": {"$in": [UUID(int=1)]},
    }

    assert [clause.value for clause in parse(filters)] == [
        1.5,
        "2026-01-31T00:00:00+00:00",
        [str(UUID(int=1))],
    ]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"a": {"$gte": {"$ne": 1}}}, "needs a number or a text"),
        ({"a": {"$eq": {"$ne": 1}}}, "needs a plain value"),
        ({"a": {"$in": [{"$ne": 1}]}}, "needs a list of plain values"),
        ({"a": {"$in": "abc"}}, "needs a list"),
        ({"a": {"$exists": 1}}, "needs true or false"),
        ({"a": {"$starts_with": 1}}, "needs a text"),
        ({"a": {}}, "has no operator"),
        ({"a": [1]}, "needs a plain value"),
        ({"a": {"$graeter": 1}}, "unknown operator"),
        ({"a": {"$gt ": 1}}, r"did you mean '\$gt'"),
        ({"a": {"$where": "1=1"}}, "unknown operator"),
        ({'a"; DROP TABLE records; --': 1}, "not a field name"),
        ({"a'": 1}, "not a field name"),
        ({"$xor": [{"a": 1}]}, "no operator .did you mean '\\$or'"),
        ({"$or": []}, "at least one"),
        ({"$or": {"a": 1}}, "a list of filters"),
        ({"$or": [1]}, "a filter is an object, not a int"),
        ({"$and": [{"a": {"$foo": 1}}, {"b..c": 1}]}, "unknown operator.*not a field name"),
        ({"$not": 1}, "a filter is an object"),
        ({"a": {"$not": 1}}, r"\$not needs a condition"),
        ({"a": {"$or": [{"$gt": 1}]}}, "unknown operator"),
        ({"a": {"$search": " - "}}, "has no word"),
        ({"$search": 1}, "needs a text"),
        ({"a": {"$regex": "(a"}}, r"filter on 'a': the pattern has no \) for a \( at character 3"),
        ({"a": {"$in": list(range(10_001))}}, "10,001 values"),
        ({"$and": [{"a": 1}] * 201}, "too many conditions"),
        ({"a.$gt": 1}, "not a field name"),
        ({"a..b": 1}, "not a field name"),
        ({"": 1}, "not a field name"),
        ({"a\x00": 1}, "not a field name"),
        ({"a\n": 1}, "not a field name"),
        ({1: 1}, "not a field name"),
        ({"a": "\x00"}, "NUL"),
        ({"a": {"$in": ["\ud800"]}}, "surrogate"),
        ({"a": math.nan}, "not a finite number"),
        ({"a": {"$gt": math.inf}}, "not a finite number"),
        ({"a": 10**5000}, "too large"),
        ([{"a": 1}], "a filter is an object"),
    ],
)
def test_what_is_no_filter_is_refused_with_the_reason(filters: Any, message: str):
    with pytest.raises(UserError, match=message):
        parse(filters)


def test_the_clause_that_decided_is_named():
    clauses = parse({"a": 1, "b": {"$gt": 2, "$lt": 5}})

    assert matches(clauses, {"a": 1, "b": 3}) is None
    assert str(matches(clauses, {"a": 1, "b": 7})) == "b $lt 5"


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(SCALARS)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
FIELDS = st.sampled_from(
    [
        "v",
        "deep.v",
        "list.0",
        "id",
        "stage",
        "version",
        "created_at",
        "v.b.c",
        "größe",
        "when",
        "day",
        "score",
        "plain",
    ]
) | st.text(max_size=6)
PATTERNS = st.text(alphabet="ab1é (|)*+?.[]^$\\\\dwsbDWS{1,2}-\n", max_size=12)
CONDITION = st.sampled_from([*OPERATORS]).flatmap(
    lambda operator: st.builds(
        lambda value: {operator: value},
        st.sampled_from(WANTED[operator])
        | LEAVES
        | st.sampled_from(TIMES)
        | (PATTERNS if operator == "$regex" else JSON),
    )
)
CLAUSES = st.dictionaries(FIELDS, CONDITION | LEAVES | JSON, max_size=2)
FILTERS = (
    st.recursive(
        CLAUSES | st.builds(lambda text: {"$search": text}, st.text(max_size=8)),
        lambda inner: (
            st.builds(
                lambda of, members: {of: members},
                st.sampled_from(["$and", "$or"]),
                st.lists(inner, max_size=3),
            )
            | st.builds(lambda member: {"$not": member}, inner)
            | st.builds(lambda one, other: {**one, **other}, inner, CLAUSES)
        ),
        max_leaves=6,
    )
    | st.dictionaries(FIELDS, JSON, max_size=2)
    | JSON
)


@settings(
    max_examples=int(os.environ.get("ONEO_FUZZ_EXAMPLES", "400")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(filters=FILTERS, pipeline=st.sampled_from(["leads", "typed"]))
def test_any_json_gives_a_result_or_a_reason(database: Database, filled, filters: Any, pipeline: str):
    """Never an error of the database, never a row that the other side would not find, never another tenant's."""
    tenant_id, images = filled
    with database.tenant(tenant_id) as session:
        try:
            agree(session, images, filters, pipeline)
        except UserError:
            return


def test_names_that_no_field_has_are_refused_with_the_nearest(database: Database, filled):
    tenant_id, _images = filled
    with database.tenant(tenant_id) as session:
        with pytest.raises(UserError, match=r"no field 'scor'.*did you mean 'score'"):
            records.find(session, "typed", {"$or": [{"v": 1}, {"scor": 1}]})
        with pytest.raises(UserError, match=r"sort: pipeline 'typed' has no field 'wehn'"):
            records.find(session, "typed", {}, sort={"wehn": 1})
        # Fields that records merely hold, and pipelines that declare none, are searched as they are.
        assert records.find(session, "typed", {"deep.v": "ab"}) != []
        assert records.find(session, "leads", {"scor": 1}) == []
