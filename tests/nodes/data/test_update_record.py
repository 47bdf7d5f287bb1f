"""update_record: overwrite, increment, append; under a lock, checked, and only the record that is meant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oneo.store import records
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["update_record"]
SCORE = {"id": "ai", "type": "create_record", "config": {"pipeline_id": "leads", "record_data": {}}}


def example(bench: Bench, record_id: str, **changes: Any) -> dict[str, Any]:
    """The example on a record; `context.ai_score` stands in the trigger data's place for now."""
    config = {**EXAMPLE, **changes}
    config["update_fields"] = {**EXAMPLE["update_fields"], "score": "{{ trigger.ai_score }}"}
    return bench.node("update_record", config, {"record_id": record_id, "ai_score": 87}).output  # type: ignore[no-any-return]


def test_the_example_qualifies_the_deal(bench: Bench) -> None:
    deal = bench.record("deals", status="new", touch_count=2, tags=["imported"])
    output = example(bench, deal)
    kept = bench.get(deal)
    assert kept is not None
    assert (kept["status"], kept["score"], kept["touch_count"]) == ("qualified", 87, 3)
    assert kept["tags"] == ["imported", "processed"]
    assert kept["last_contacted"].startswith("20")
    assert kept["version"] == 2
    assert sorted(output["changed"]) == ["last_contacted", "score", "status", "tags", "touch_count"]
    assert output["record_id"] == deal


def test_missing_fields_count_as_zero_and_as_empty(bench: Bench) -> None:
    deal = bench.record("deals")
    example(bench, deal)
    kept = bench.get(deal)
    assert kept is not None
    assert repr(kept["touch_count"]) == "1"
    assert kept["tags"] == ["processed"]


@pytest.mark.parametrize(
    ("before", "amount", "after"),
    [(2, 1, "3"), (2, 1.0, "3"), (2, 0.5, "2.5"), (1.5, 1, "2.5"), (5, -5, "0")],
)
def test_whole_numbers_stay_whole(bench: Bench, before: float, amount: float, after: str) -> None:
    deal = bench.record("deals", n=before)
    bench.node("update_record", {"increment_fields": {"n": amount}}, {"record_id": deal})
    kept = bench.get(deal)
    assert kept is not None
    assert repr(kept["n"]) == after


def test_the_amount_may_come_out_of_an_expression(bench: Bench) -> None:
    deal = bench.record("deals", n=1)
    bench.node("update_record", {"increment_fields": {"n": "{{trigger.by}}"}}, {"record_id": deal, "by": 4})
    assert (bench.get(deal) or {})["n"] == 5


def test_stage_and_owner_are_fields_too(bench: Bench) -> None:
    deal = bench.record("deals", stage="new")
    config = {"update_fields": {"stage": "won", "owner": "eva", "external_id": 12}}
    output = bench.node("update_record", config, {"record_id": deal}).output
    assert (output["record"]["stage"], output["record"]["owner"]) == ("won", "eva")
    assert output["record"]["external_id"] == "12"


def test_nothing_changed_leaves_the_version(bench: Bench) -> None:
    deal = bench.record("deals", status="open")
    output = bench.node("update_record", {"update_fields": {"status": "open"}}, {"record_id": deal}).output
    assert (output["changed"], output["record"]["version"]) == ([], 1)


def test_later_nodes_read_the_changed_record(bench: Bench) -> None:
    deal = bench.record("deals", score=1)
    report = bench.run(
        workflow(
            {"id": "raise", "type": "update_record", "config": {"update_fields": {"score": 90}}},
            {
                "id": "copy",
                "type": "update_record",
                "config": {"update_fields": {"seen": "{{record.score}}"}},
            },
        ),
        {"record_id": deal},
    )
    assert report["status"] == "success"
    assert (bench.get(deal) or {})["seen"] == 90


def test_values_are_checked_against_the_pipeline_and_taken_back(bench: Bench) -> None:
    bench.pipeline("deals", {"id": "score", "type": "number"})
    deal = bench.record("deals", score=1)
    ran = bench.node("update_record", {"update_fields": {"score": "high", "x": 1}}, {"record_id": deal})
    assert "does not fit pipeline 'deals': field 'score': 'high' is not of type 'number'" in ran.message
    assert (bench.get(deal) or {})["version"] == 1
    config = {"update_fields": {"score": "high"}, "skip_validation": True}
    assert bench.node("update_record", config, {"record_id": deal}).output["changed"] == ["score"]


def test_a_record_of_another_pipeline_is_left_alone(bench: Bench) -> None:
    lead = bench.record("leads", status="new")
    ran = bench.node("update_record", {**EXAMPLE, "update_fields": {"status": "x"}}, {"record_id": lead})
    assert f"record {lead} is in pipeline 'leads', not in 'deals'" in ran.message
    assert "correct record_id or pipeline_id" in ran.message
    assert (bench.get(lead) or {})["status"] == "new"


UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("config", "data", "message"),
    [
        ({"record_id": UNKNOWN}, {}, f"there is no record {UNKNOWN}"),
        ({"record_id": "not-an-id"}, {}, "there is no record not-an-id"),
        ({}, {}, "no record_id is given and the execution is about no record"),
        ({"record_id": "{{trigger.id}}"}, {"id": None}, "config.record_id came out empty"),
        ({"record_id": "{{trigger.id}}"}, {"id": ""}, "config.record_id came out empty"),
        (
            {"record_id": UNKNOWN, "expected_version": "{{trigger.version}}"},
            {"version": None},
            "config.expected_version came out empty",
        ),
        (
            {"increment_fields": {"n": "{{trigger.by}}"}},
            {"by": "two"},
            "config.increment_fields.n: Input should",
        ),
    ],
)
def test_failures_say_where_and_what(
    bench: Bench, config: dict[str, Any], data: dict[str, Any], message: str
) -> None:
    ran = bench.node("update_record", {"update_fields": {"a": 1}, **config}, data)
    assert message in ran.message
    assert ran.error["type"] == "ConfigError"


def test_an_empty_record_id_never_means_the_executions_record(bench: Bench) -> None:
    deal = bench.record("deals", status="new")
    config = {"record_id": "{{ trigger.other | default('') }}", "update_fields": {"status": "lost"}}
    ran = bench.node("update_record", config, {"record_id": deal})
    assert "leave record_id out" in ran.message
    assert (bench.get(deal) or {})["status"] == "new"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"increment_fields": {"name": 1}}, "field 'name' holds 'Ada', which cannot be incremented"),
        ({"append_to_arrays": {"name": ["x"]}}, "field 'name' holds 'Ada', which is not a list"),
    ],
)
def test_what_is_no_number_or_list_stays_as_it_is(bench: Bench, config: dict[str, Any], message: str) -> None:
    deal = bench.record("deals", name="Ada")
    assert message in bench.node("update_record", config, {"record_id": deal}).message


def test_fifty_writers_at_the_same_time_lose_no_increment(bench: Bench) -> None:
    deal = bench.record("deals", touch_count=0, tags=[])

    def touch(number: int) -> None:
        with bench.database.tenant(bench.tenant) as session:
            row = records.get(session, deal, lock=True)
            changes = records.Changes(increment={"touch_count": 1}, append={"tags": [number]})
            records.update(session, row, changes)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(touch, range(50)))
    kept = bench.get(deal) or {}
    assert (kept["touch_count"], sorted(kept["tags"]), kept["version"]) == (50, list(range(50)), 51)


def test_executions_at_the_same_time_lose_no_increment(bench: Bench) -> None:
    deal = bench.record("deals", touch_count=0, tags=[])
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: example(bench, deal), range(50)))
    kept = bench.get(deal) or {}
    assert (kept["touch_count"], kept["tags"]) == (50, ["processed"] * 50)


def test_a_record_of_the_expected_version_is_changed(bench: Bench) -> None:
    deal = bench.record("deals", status="new")
    config = {"update_fields": {"status": "won"}, "expected_version": "{{record.version}}"}
    output = bench.node("update_record", config, {"record_id": deal}).output
    assert (output["record"]["status"], output["record"]["version"]) == ("won", 2)


def test_a_record_that_was_changed_meanwhile_stays_as_it_is(bench: Bench) -> None:
    deal = bench.record("deals", status="new")
    for status in ("open", "lost"):
        bench.node("update_record", {"update_fields": {"status": status}}, {"record_id": deal})
    config = {"update_fields": {"status": "won"}, "expected_version": 2}
    ran = bench.node("update_record", config, {"record_id": deal}, error_handling={"retry_count": 3})
    assert f"record {deal} has version 3, not the expected 2 (somebody changed it meanwhile" in ran.message
    assert (ran.error["type"], ran.node["attempts"]) == ("PermanentNodeError", 1)
    assert (bench.get(deal) or {})["status"] == "lost"


def test_of_writers_that_expect_the_same_version_one_wins(bench: Bench) -> None:
    deal = bench.record("deals", n=0)
    config = {"increment_fields": {"n": 1}, "expected_version": 1}
    with ThreadPoolExecutor(8) as pool:
        ran = list(
            pool.map(lambda _: bench.node("update_record", config, {"record_id": deal}).node, range(8))
        )
    assert sorted(node["status"] for node in ran) == ["failed"] * 7 + ["success"]
    assert (bench.get(deal) or {})["n"] == 1


def test_saving_checks_the_options(bench: Bench) -> None:
    assert bench.problems("update_record", EXAMPLE) == []
    [found] = bench.problems("update_record", {"increment_fields": {"n": "many"}})
    assert "$.nodes[1].config.increment_fields.n" in found
