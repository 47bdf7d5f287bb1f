"""Stages and JSON Schemas of pipelines: what fits a record beyond its fields."""

from __future__ import annotations

import pytest

from oneo.database import Database
from oneo.errors import InvalidRecordError, UserError
from oneo.store import pipelines
from oneo.store.pipelines import PipelineSpec, parse_spec

STAGES = [{"id": "new"}, {"id": "qualified"}, {"id": "won"}]
OFFER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "properties": {
        "number": {"type": "string", "pattern": "^A-[0-9]{4}$"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 3},
    },
    "if": {"properties": {"status": {"const": "sent"}}, "required": ["status"]},
    "then": {"required": ["sent_at"]},
    "$defs": {"line": {"type": "object", "required": ["price"], "properties": {"price": {"minimum": 0}}}},
}


def spec(**parts: object) -> PipelineSpec:
    return parse_spec({"id": "offers", **parts}, "offers.json")


def test_an_unknown_stage_is_named_with_the_nearest():
    (problem,) = spec(stages=STAGES).problems({"stage": "qualifed"})

    assert problem == "there is no stage 'qualifed' (did you mean 'qualified'?)"


@pytest.mark.parametrize("stage", ["new", "won", None])
def test_a_known_stage_fits_and_so_does_none(stage: object):
    assert spec(stages=STAGES).problems({"stage": stage}) == []


def test_without_stages_any_text_is_one():
    assert spec().problems({"stage": "whatever"}) == []


def test_the_schema_is_asked_beside_the_fields_and_stages():
    whole = spec(stages=STAGES, fields=[{"id": "name", "required": True}], record_schema=OFFER)

    assert whole.problems({"name": "x", "number": "A-0001", "lines": [{"price": 1}], "stage": "new"}) == []
    assert whole.problems(
        {"number": "A-1", "lines": [{"price": -1}, {}], "status": "sent", "stage": "old"}
    ) == [
        "field 'name' is required",
        "field 'number': 'A-1' does not match '^A-[0-9]{4}$'",
        "field 'lines.0.price': -1 is less than the minimum of 0",
        "field 'lines.1': 'price' is a required property",
        "'sent_at' is a required property",
        "there is no stage 'old' (known: new, qualified, won)",
    ]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("date", "2026-01-31", "31.01.2026"),
        ("date-time", "2026-01-31T09:00:00Z", "2026-01-31"),
        ("email", "a@x.de", "anna"),
        ("uuid", "00000000-0000-4000-8000-000000000000", "7"),
    ],
)
def test_formats_are_checked(kind: str, good: str, bad: str):
    asked = spec(record_schema={"properties": {"f": {"format": kind}}})

    assert asked.problems({"f": good}) == []
    assert len(asked.problems({"f": bad})) == 1


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, r"record_schema\.type: 'objekt' is not valid"),
        (
            {"properties": {"a": {"minimum": "1"}}},
            r"record_schema\.properties\.a\.minimum: '1' is not of type",
        ),
        (
            {"properties": {"a": {"$ref": "https://x.de/s.json"}}},
            r"a\.\$ref: 'https://x.de/s.json' is none of",
        ),
        ({"$ref": "#/$defs/lin", "$defs": {"line": {}}}, r"did you mean '#/\$defs/line'"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/a"}}},
            r"\$defs\.a\.\$ref: what stands in \$defs cannot refer to \$defs",
        ),
        ({"properties": {"a": {"pattern": "(a+)+(?=b)"}}}, r"properties\.a\.pattern: .*RE2"),
        ({"patternProperties": {"^a": {}}}, r"patternProperties is not supported"),
        (
            {"allOf": [{"$schema": "http://json-schema.org/draft-07/schema#"}]},
            r"allOf\.0\.\$schema is not|\$schema",
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "only https://json-schema.org/draft/2020-12",
        ),
        ({"$id": "https://x.de/"}, r"\$id is not supported"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_place(schema: dict, message: str):
    with pytest.raises(UserError, match=message):
        spec(record_schema=schema)


def test_every_mistake_of_a_schema_is_told_at_once():
    with pytest.raises(UserError) as raised:
        spec(record_schema={"patternProperties": {}, "properties": {"a": {"pattern": "\\1"}}})

    assert "patternProperties" in str(raised.value)
    assert "properties.a.pattern" in str(raised.value)


@pytest.mark.timeout(5)
def test_a_pattern_takes_no_longer_for_a_hostile_text():
    asked = spec(record_schema={"properties": {"a": {"pattern": "^(a+)+$"}}})

    assert len(asked.problems({"a": "a" * 50_000 + "!"})) == 1


def test_half_a_character_is_a_problem_not_a_crash():
    assert len(spec(record_schema={"properties": {"a": {"pattern": "x"}}}).problems({"a": "\ud800"})) == 1


def test_a_schema_comes_back_as_written(database: Database, tenant: str):
    written = spec(name="Offers", stages=STAGES, record_schema=OFFER)
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, written)
    with database.tenant(tenant) as session:
        assert pipelines.get(session, "offers") == written


def test_a_change_is_held_up_by_what_it_brings_only():
    asked = spec(stages=STAGES, fields=[{"id": "phone", "required": True}, {"id": "score", "type": "number"}])
    before = {"stage": "gone", "score": 1}

    pipelines.check(asked, {**before, "score": 2}, before)
    with pytest.raises(InvalidRecordError) as raised:
        pipelines.check(asked, {**before, "score": "high"}, before)
    assert "phone" not in str(raised.value)


def test_stage_and_owner_cannot_be_unique():
    with pytest.raises(UserError, match="field 'stage' cannot be unique"):
        spec(fields=[{"id": "stage", "unique": True}])
