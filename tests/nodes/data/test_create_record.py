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
