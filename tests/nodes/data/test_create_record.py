"""create_record: a new record, or the duplicate that is there already."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["create_record"]
ADA = {"name": "Ada", "email": "ada@example.com"}


def test_the_example_creates_a_contact_from_the_trigger(bench: Bench) -> None:
    ran = bench.node("create_record", EXAMPLE, ADA)
    assert (ran.output["created"], ran.output["merged"]) == (True, False)
    [contact] = bench.all("contacts")
    assert {**ADA, "source": "workflow"}.items() <= contact.items()
    assert ran.output["record_id"] == contact["id"] == ran.output["record"]["id"]


def test_the_example_finds_the_duplicate_and_leaves_it_alone(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com", name="Ada Lovelace")
    ran = bench.node("create_record", EXAMPLE, ADA)
    assert (ran.output["created"], ran.output["merged"], ran.output["record_id"]) == (False, False, known)
    assert [one["name"] for one in bench.all("contacts")] == ["Ada Lovelace"]


def test_merge_if_exists_writes_into_the_duplicate(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com", name="A.", phone="1")
    ran = bench.node("create_record", {**EXAMPLE, "check_duplicates": False, "merge_if_exists": True}, ADA)
    assert (ran.output["created"], ran.output["merged"], ran.output["record_id"]) == (False, True, known)
    assert {"name": "Ada", "phone": "1", "source": "workflow"}.items() <= bench.all("contacts")[0].items()


def test_without_a_check_every_run_creates_one(bench: Bench) -> None:
    config = {"pipeline_id": "contacts", "record_data": {"email": "{{trigger.email}}"}}
    bench.node("create_record", config, ADA)
    bench.node("create_record", config, ADA)
    assert len(bench.all("contacts")) == 2


def test_duplicates_are_told_by_the_fields_named(bench: Bench) -> None:
    known = bench.record("contacts", vat="DE1", email="x@example.com")
    config = {
        "pipeline_id": "contacts",
        "record_data": {"vat": "DE1", "email": "y@example.com"},
        "check_duplicates": True,
        "duplicate_fields": ["vat"],
    }
    assert bench.node("create_record", config).output["record_id"] == known


def test_duplicates_are_told_by_the_pipelines_unique_fields(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "vat", "unique": True})
    known = bench.record("contacts", vat="DE1")
    bench.record("contacts", email="ada@example.com", vat="DE2")
    config = {"pipeline_id": "contacts", "record_data": {"vat": "DE1", **ADA}, "check_duplicates": True}
    assert bench.node("create_record", config).output["record_id"] == known


def test_an_empty_value_makes_no_duplicate(bench: Bench) -> None:
    bench.record("contacts", email="", name="Nobody")
    config = {"pipeline_id": "contacts", "record_data": {"email": ""}, "check_duplicates": True}
    assert bench.node("create_record", config).output["created"] is True


def test_stage_owner_and_external_id_stand_beside_the_data(bench: Bench) -> None:
    data = {"stage": "new", "owner": "eva", "external_id": "{{trigger.number}}", "deal": {"size": 3}}
    ran = bench.node("create_record", {"pipeline_id": "deals", "record_data": data}, {"number": 4711})
    record = ran.output["record"]
    assert (record["stage"], record["owner"], record["external_id"]) == ("new", "eva", "4711")
    assert record["deal"] == {"size": 3}


def test_dates_of_expressions_are_kept_as_iso_text(bench: Bench) -> None:
    data = {"day": "{{ today }}", "moment": "{{ now }}", "text": "on {{ today }}"}
    [kept] = [bench.node("create_record", {"pipeline_id": "deals", "record_data": data}).output["record"]]
    day = kept["moment"][:10]
    assert (kept["day"], kept["text"]) == (day, f"on {day}")
    assert kept["moment"].endswith("+00:00")


def test_the_new_record_is_known_to_the_nodes_after_it(bench: Bench) -> None:
    report = bench.run(
        workflow(
            {"id": "make", "type": "create_record", "config": EXAMPLE},
            {"id": "mark", "type": "update_record", "config": {"update_fields": {"seen": True}}},
            {
                "id": "again",
                "type": "update_record",
                "config": {"record_id": "{{context.created_record_id}}", "increment_fields": {"n": 1}},
            },
        ),
        ADA,
    )
    assert report["status"] == "success"
    assert {"seen": True, "n": 1}.items() <= bench.all("contacts")[0].items()


def test_values_that_do_not_fit_the_pipeline_are_refused_all_at_once(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "score", "type": "number"}, {"id": "name", "required": True})
    config = {"pipeline_id": "contacts", "record_data": {"score": "{{trigger.score}}"}}
    ran = bench.node("create_record", config, {"score": "high"})
    assert ran.error["type"] == "ConfigError"
    assert "does not fit pipeline 'contacts'" in ran.message
    assert "field 'name' is required" in ran.message
    assert "field 'score': 'high' is not of type 'number'" in ran.message
    assert "skip_validation" in ran.message
    assert bench.all("contacts") == []


def test_skip_validation_accepts_them(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "score", "type": "number"}, {"id": "name", "required": True})
    config = {"pipeline_id": "contacts", "record_data": {"score": "high"}, "skip_validation": True}
    assert bench.node("create_record", config).output["record"]["score"] == "high"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"pipeline_id": "contact", "record_data": {}},
            "there is no pipeline 'contact' (did you mean 'contacts'?)",
        ),
        ({"pipeline_id": "{{trigger.none}}", "record_data": {}}, "config.pipeline_id: "),
        ({"pipeline_id": "deals", "record_data": "{{trigger.text}}"}, "config.record_data: "),
        (
            {"pipeline_id": "deals", "record_data": {"stage": ["a"]}},
            "config.record_data.stage must be a text",
        ),
    ],
)
def test_failures_say_where_and_what(bench: Bench, config: dict[str, Any], message: str) -> None:
    ran = bench.node("create_record", config, {"text": "not an object"}, error_handling={"retry_count": 2})
    assert message in ran.message
    assert ran.node["attempts"] == 1


def test_a_second_record_with_the_same_external_id_is_refused_with_the_remedy(bench: Bench) -> None:
    config = {"pipeline_id": "deals", "record_data": {"external_id": "7", "secret_note": "hush"}}
    bench.node("create_record", config)
    ran = bench.node("create_record", config, error_handling={"retry_count": 3})
    assert "has a record with this external_id already" in ran.message
    assert 'duplicate_fields ["external_id"]' in ran.message
    assert ran.node["attempts"] == 1


def test_executions_at_the_same_time_create_one_contact(bench: Bench) -> None:
    def one(_: int) -> dict[str, Any]:
        return bench.node("create_record", EXAMPLE, ADA).output  # type: ignore[no-any-return]

    with ThreadPoolExecutor(5) as pool:
        outputs = list(pool.map(one, range(5)))
    assert sum(output["created"] for output in outputs) == 1
    assert len({output["record_id"] for output in outputs}) == len(bench.all("contacts")) == 1


def test_the_record_belongs_to_its_tenant_only(bench: Bench, database: Any) -> None:
    bench.node("create_record", EXAMPLE, ADA)
    with database.tenant("somebody-else") as session:
        from oneo.store import records

        assert records.find(session, "contacts", {}) == []


def test_saving_names_unknown_and_missing_options(bench: Bench) -> None:
    found = " ".join(bench.problems("create_record", {"pipelines": "x"}))
    assert "unknown option 'pipelines' of create_record (did you mean 'pipeline_id'?)" in found
    assert "option 'record_data' of create_record is missing" in found
    assert bench.problems("create_record", EXAMPLE) == []


def test_it_runs_in_one_event_loop_with_others(bench: Bench) -> None:
    state = bench.begin(workflow({"id": "make", "type": "create_record", "config": EXAMPLE}), ADA)

    async def twice() -> list[Any]:
        attempts = [bench.attempt_of(state, "make").run(may_retry=lambda _: False) for _ in range(2)]
        return await asyncio.gather(*attempts)

    first, second = asyncio.run(twice())
    assert first.output == second.output
    assert len(bench.all("contacts")) == 1


def test_a_unique_value_that_is_there_already_is_refused_with_field_value_and_record(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "email", "type": "email", "unique": True})
    known = bench.record("contacts", email="ada@example.com")
    config = {"pipeline_id": "contacts", "record_data": {"email": "ADA@example.com"}}
    ran = bench.node("create_record", config, error_handling={"retry_count": 3})
    assert f"field 'email' is unique, and record {known} has \"ADA@example.com\" already" in ran.message
    assert "merge_if_exists" in ran.message
    assert (ran.error["type"], ran.node["attempts"]) == ("PermanentNodeError", 1)


def test_a_duplicate_of_a_unique_field_is_found_in_another_spelling(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "email", "type": "email", "unique": True})
    known = bench.record("contacts", email="Ada@Example.com")
    ran = bench.node("create_record", {**EXAMPLE, "merge_if_exists": True}, ADA)
    assert (ran.output["record_id"], ran.output["merged"]) == (known, True)
    assert ran.output["record"]["email"] == "ada@example.com"


def test_executions_at_the_same_time_upsert_one_record(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "email", "type": "email", "unique": True})
    spellings = [
        "ada@example.com",
        "Ada@example.com",
        "ADA@EXAMPLE.COM",
        "ada@Example.com",
        "aDa@example.com",
    ]

    def one(number: int) -> dict[str, Any]:
        data = {"email": spellings[number], f"from_{number}": True}
        config = {"pipeline_id": "contacts", "record_data": data, "merge_if_exists": True}
        return bench.node("create_record", config).output  # type: ignore[no-any-return]

    with ThreadPoolExecutor(5) as pool:
        outputs = list(pool.map(one, range(5)))
    assert sorted((output["created"], output["merged"]) for output in outputs) == [(False, True)] * 4 + [
        (True, False)
    ]
    [contact] = bench.all("contacts")
    assert all(contact[f"from_{number}"] for number in range(5))


def test_executions_at_the_same_time_without_a_check_create_one_and_the_others_say_so(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "email", "type": "email", "unique": True})
    config = {"pipeline_id": "contacts", "record_data": {"email": "ada@example.com"}}
    with ThreadPoolExecutor(5) as pool:
        nodes = list(pool.map(lambda _: bench.node("create_record", config).node, range(5)))
    [contact] = bench.all("contacts")
    assert sorted(node["status"] for node in nodes) == ["failed"] * 4 + ["success"]
    assert all(contact["id"] in node["error"]["message"] for node in nodes if node["error"])


@pytest.mark.parametrize(
    ("strategy", "data", "found"),
    [
        ("any", {"email": "x@x.de", "vat": "DE1"}, True),
        ("any", {"vat": "DE1"}, True),
        ("all", {"email": "x@x.de", "vat": "DE1"}, False),
        ("all", {"email": "ada@x.de", "vat": "DE1"}, True),
        ("all", {"vat": "DE1"}, False),
        ("all", {"email": "", "vat": "DE1"}, False),
    ],
)
def test_one_field_or_all_of_them_tell_a_duplicate(
    bench: Bench, strategy: str, data: dict[str, Any], found: bool
) -> None:
    bench.record("contacts", email="ada@x.de", vat="DE1")
    config = {
        "pipeline_id": "contacts",
        "record_data": data,
        "check_duplicates": True,
        "duplicate_fields": ["email", "vat"],
        "duplicate_strategy": strategy,
    }
    assert bench.node("create_record", config).output["created"] is not found


def test_a_merge_may_fill_gaps_only(bench: Bench) -> None:
    bench.record("contacts", email="ada@example.com", name="Ada Lovelace", phone="", tags=[], owner="eva")
    data = {
        "email": "ada@example.com",
        "name": "A.",
        "phone": "1",
        "tags": ["x"],
        "city": "Bonn",
        "owner": "bo",
    }
    config = {
        "pipeline_id": "contacts",
        "record_data": data,
        "merge_if_exists": True,
        "merge_values": "fill_gaps",
    }
    record = bench.node("create_record", config).output["record"]
    assert (record["name"], record["owner"]) == ("Ada Lovelace", "eva")
    assert (record["phone"], record["tags"], record["city"]) == ("1", ["x"], "Bonn")


def test_a_merge_needs_only_what_changes(bench: Bench) -> None:
    bench.pipeline("contacts", {"id": "name", "required": True}, {"id": "score", "type": "number"})
    known = bench.record("contacts", email="ada@example.com", name="Ada")
    config = {"pipeline_id": "contacts", "merge_if_exists": True}
    data = {"email": "ada@example.com", "score": 5}
    assert bench.node("create_record", {**config, "record_data": data}).output["record"]["score"] == 5
    ran = bench.node("create_record", {**config, "record_data": {**data, "score": "high"}})
    assert "'high' is not of type 'number'" in ran.message
    assert (bench.get(known) or {})["score"] == 5


def test_an_unknown_stage_is_refused_with_the_nearest(bench: Bench) -> None:
    bench.pipeline("deals", stages=[{"id": "new"}, {"id": "qualified"}])
    config = {"pipeline_id": "deals", "record_data": {"stage": "qualifed"}}
    ran = bench.node("create_record", config)
    assert "there is no stage 'qualifed' (did you mean 'qualified'?)" in ran.message
    assert (
        bench.node("create_record", {**config, "skip_validation": True}).output["record"]["stage"]
        == "qualifed"
    )


def test_the_pipelines_json_schema_is_asked(bench: Bench) -> None:
    bench.pipeline("deals", record_schema={"properties": {"code": {"pattern": "^D-[0-9]+$"}}})
    config = {"pipeline_id": "deals", "record_data": {"code": "{{trigger.code}}"}}
    assert "'7' does not match '^D-[0-9]+$'" in bench.node("create_record", config, {"code": "7"}).message
    assert bench.node("create_record", config, {"code": "D-7"}).output["created"] is True
    skipping = {**config, "skip_validation": True}
    assert bench.node("create_record", skipping, {"code": "7"}).output["created"] is True


def test_the_record_may_belong_to_another(bench: Bench) -> None:
    deal = bench.record("deals", name="Big")
    config = {"pipeline_id": "leads", "record_data": {}, "parent_id": "{{record.id}}", "relation": "invoice"}
    going = bench.node("create_record", config, {"record_id": deal}).output["record_id"]
    staying = {**config, "delete_with_parent": False}
    kept = bench.node("create_record", staying, {"record_id": deal}).output["record_id"]
    bench.node("delete_record", {"cascade_delete": True}, {"record_id": deal})
    assert [one["id"] for one in bench.all("leads")] == [kept]
    assert bench.get(going) is None


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("{{ trigger.none | default('') }}", "config.parent_id came out empty"),
        ("00000000-0000-4000-8000-000000000000", "there is no record 00000000-0000-4000-8000-000000000000"),
    ],
)
def test_without_its_parent_no_record_is_created(bench: Bench, parent: str, message: str) -> None:
    config = {"pipeline_id": "leads", "record_data": {}, "parent_id": parent}
    assert message in bench.node("create_record", config).message
    assert bench.all("leads") == []
