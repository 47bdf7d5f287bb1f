"""Pipelines: what fits a record of a kind, and what is said about the rest."""

from __future__ import annotations

import pytest

from oneo.database import Database
from oneo.errors import InvalidRecordError, NotFoundError, UserError
from oneo.store import pipelines
from oneo.store.pipelines import PipelineSpec, parse_spec


def spec(**field: object) -> PipelineSpec:
    return PipelineSpec.model_validate({"id": "leads", "fields": [{"id": "f", **field}]})


FITS = [
    ("text", "x", 1), ("text", "", []), ("number", 1.5, "1.5"), ("number", 0, True), ("integer", 3, 3.5),
    ("integer", -1, "3"), ("boolean", False, 0), ("boolean", True, "true"), ("date", "2026-01-31", "31.01.2026"),
    ("date", "2026-02-28", "2026-02-30"), ("date", "2026-01-31", "20260131"),
    ("datetime", "2026-01-31T09:00:00+01:00", "soon"), ("datetime", "2026-01-31T09:00:00", "2026-01-31"),
    ("datetime", "2026-01-31T09:00:00Z", "2026-01-31T25:00:00Z"), ("email", "a.b+c@x.de", "anna"),
    ("email", "a@x.de", "@"), ("email", "ä@ü.de", "a b@x.de"), ("email", "a@x.de", "a@x.de\n"),
    ("email", "a@x.de", "a@b@c.de"), ("email", "a@x.de", "a@x..de"), ("phone", "+49 (0) 171/123-4567", "call me"),
    ("phone", "0171", "12"), ("url", "https://x.de/a?b=c", "x.de"), ("url", "HTTP://X.de", "https://"),
    ("url", "http://x", "javascript:alert(1)"), ("url", "https://x.de", "https://x.de/a b"), ("list", [], "a;b"),
    ("list", [1, "a"], {}), ("select", "a", 1),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "good", "bad"), FITS)
def test_each_type_takes_its_values_and_no_others(kind: str, good: object, bad: object):
    assert spec(type=kind).problems({"f": good}) == []
    (problem,) = spec(type=kind).problems({"f": bad})
    assert problem.startswith("field 'f': ")


@pytest.mark.parametrize("value", [None, 1, "x", [], {"a": 1}])
def test_json_takes_anything(value: object):
    assert spec(type="json").problems({"f": value}) == []


def test_a_field_may_be_missing_or_null_unless_required():
    assert spec().problems({}) == spec().problems({"f": None}) == []
    assert spec(required=True).problems({}) == ["field 'f' is required"]
    assert spec(required=True).problems({"f": None}) == ["field 'f' is required"]
    assert spec(required=True).problems({"f": "x"}) == []


def test_options_are_named_where_the_value_is_none_of_them():
    (problem,) = spec(type="select", options=["hot", "cold"]).problems({"f": "warm"})

    assert "'warm' is not one of ['hot', 'cold']" in problem


def test_fields_the_pipeline_does_not_name_are_welcome():
    assert spec().problems({"f": "x", "more": {"a": [1]}}) == []


def test_every_problem_is_told_at_once():
    whole = PipelineSpec.model_validate(
        {
            "id": "leads",
            "fields": [
                {"id": "name", "required": True},
                {"id": "city", "required": True},
                {"id": "score", "type": "number"},
            ],
        }
    )
    with pytest.raises(InvalidRecordError) as raised:
        pipelines.check(whole, {"score": "high"})

    for part in ("'name' is required", "'city' is required", "field 'score'"):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "id: Field required"),
        ([], "the document"),
        ({"id": "a/b"}, "id: "),
        ({"id": "a", "color": 1}, "color: "),
        ({"id": "a", "fields": [{"id": "1x"}]}, r"fields\.0\.id"),
        ({"id": "a", "fields": [{"id": "x\n"}]}, r"fields\.0\.id"),
        ({"id": "a", "fields": [{"id": "x", "type": "txt"}]}, r"fields\.0\.type"),
        ({"id": "a", "fields": [{"id": "x"}, {"id": "x"}]}, "field 'x' is there twice"),
        ({"id": "a", "stages": [{"id": "x"}, {"id": "x"}]}, "stage 'x' is there twice"),
        ({"id": "a", "fields": [{"id": "created_at"}]}, "'created_at': the store keeps it"),
    ],
)
def test_what_is_no_pipeline_is_refused_with_the_place(document: object, message: str):
    with pytest.raises(UserError, match=message):
        parse_spec(document, "leads.json")


def test_a_pipeline_comes_back_as_written_and_can_be_changed(database: Database, tenant: str):
    first = spec(type="select", options=["a"], unique=True, required=True)
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, first)
    with database.tenant(tenant) as session:
        assert pipelines.get(session, "leads") == first.model_copy(update={"name": "leads"})
        pipelines.apply(session, tenant, PipelineSpec(id="leads", name="Leads"))
    with database.tenant(tenant) as session:
        assert pipelines.all_pipelines(session) == [PipelineSpec(id="leads", name="Leads")]


def test_the_nearest_pipeline_is_named_and_only_of_the_same_tenant(
    database: Database, tenant: str, other_tenant: str
):
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="contacts"))
        with pytest.raises(NotFoundError, match="did you mean 'contacts'"):
            pipelines.get(session, "contact")
    with database.tenant(other_tenant) as session, pytest.raises(NotFoundError, match="nothing is known"):
        pipelines.get(session, "contacts")
