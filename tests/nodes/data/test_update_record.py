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


def test_fields_inside_of_fields_are_changed_alone(bench: Bench) -> None:
    deal = bench.record("deals", address={"city": "Bonn", "zip": "53111"}, stats={"calls": 1}, **{"a.b": 1})
    config = {
        "update_fields": {"address.city": "Köln", "a.b": 2, "company.boss.name": "Eva"},
        "increment_fields": {"stats.calls": 1, "stats.mails": 2},
        "append_to_arrays": {"stats.days": ["monday"]},
        "unset_fields": ["address.zip", "address.street.number"],
    }
    output = bench.node("update_record", config, {"record_id": deal}).output
    record = output["record"]
    assert record["address"] == {"city": "Köln"}
    assert record["stats"] == {"calls": 2, "mails": 2, "days": ["monday"]}
    assert (record["a.b"], record["company"]) == (2, {"boss": {"name": "Eva"}})
    assert sorted(output["changed"]) == ["a.b", "address", "company", "stats"]


def test_a_field_inside_of_a_text_is_refused(bench: Bench) -> None:
    deal = bench.record("deals", address="Bonn")
    ran = bench.node("update_record", {"update_fields": {"address.city": "Köln"}}, {"record_id": deal})
    assert "field 'address' holds 'Bonn', which has no fields inside" in ran.message


def test_fields_are_taken_away(bench: Bench) -> None:
    deal = bench.record("deals", status="open", note="x", owner="eva")
    config = {"unset_fields": ["note", "owner", "never"]}
    output = bench.node("update_record", config, {"record_id": deal}).output
    assert sorted(output["changed"]) == ["note", "owner"]
    kept = bench.get(deal) or {}
    assert "note" not in kept
    assert (kept["owner"], kept["status"], kept["version"]) == (None, "open", 2)
    ran = bench.node("update_record", {"unset_fields": ["id"]}, {"record_id": deal})
    assert "field 'id': the store keeps it itself" in ran.message


def test_a_record_is_changed_only_if_it_fits(bench: Bench) -> None:
    deal = bench.record("deals", status="open", score=40)
    config = {"update_fields": {"status": "won"}, "only_if": {"status": "open", "score": {"$gte": 50}}}
    output = bench.node("update_record", config, {"record_id": deal}).output
    assert (output["changed"], output["skipped"]) == ([], "only_if does not hold: score $gte 50")
    bench.node("update_record", {"increment_fields": {"score": 10}}, {"record_id": deal})
    output = bench.node("update_record", config, {"record_id": deal}).output
    assert (output["changed"], output["skipped"]) == (["status"], None)


def test_of_executions_at_the_same_time_one_finds_it_as_it_must_be(bench: Bench) -> None:
    deal = bench.record("deals", status="open", taken=0)
    config = {
        "update_fields": {"status": "taken"},
        "increment_fields": {"taken": 1},
        "only_if": {"status": "open"},
    }
    with ThreadPoolExecutor(8) as pool:
        outputs = list(
            pool.map(lambda _: bench.node("update_record", config, {"record_id": deal}).output, range(8))
        )
    assert sum(output["skipped"] is None for output in outputs) == 1
    assert (bench.get(deal) or {})["taken"] == 1


def test_all_that_fit_a_filter_are_changed(bench: Bench) -> None:
    ids = [bench.record("deals", status="open", n=n) for n in range(5)]
    other = bench.record("deals", status="won", n=0)
    config = {
        "pipeline_id": "deals",
        "filters": {"status": "open"},
        "limit": 3,
        "update_fields": {"status": "{{trigger.to}}"},
        "increment_fields": {"n": 10},
    }
    output = bench.node("update_record", config, {"to": "lost"}).output
    assert output == {"updated": ids[:3], "count": 3, "found": 3, "remaining": 2, "created": None}
    assert [one["n"] for one in bench.all("deals", status="lost")] == [10, 11, 12]
    assert (bench.get(other) or {})["version"] == 1
    assert bench.node("update_record", config, {"to": "lost"}).output["count"] == 2
    assert bench.node("update_record", config, {"to": "lost"}).output["found"] == 0


def test_one_that_cannot_be_changed_takes_back_all(bench: Bench) -> None:
    ids = [bench.record("deals", n=1), bench.record("deals", n="one")]
    config = {"pipeline_id": "deals", "filters": {"n": {"$exists": True}}, "increment_fields": {"n": 1}}
    assert "field 'n' holds 'one'" in bench.node("update_record", config).message
    assert (bench.get(ids[0]) or {})["n"] == 1


UPSERT = {
    "pipeline_id": "deals",
    "filters": {"code": "{{trigger.code}}", "place.city": "Bonn", "score": {"$lt": 100}},
    "create_if_not_found": True,
    "update_fields": {"score": 5, "stage": "new"},
    "increment_fields": {"seen": 1},
}


def test_a_record_that_is_not_found_is_created(bench: Bench) -> None:
    first = bench.node("update_record", UPSERT, {"code": "D-1"}).output
    [deal] = bench.all("deals")
    assert (first["created"], first["updated"]) == (deal["id"], [])
    assert (deal["code"], deal["place"], deal["score"], deal["seen"]) == ("D-1", {"city": "Bonn"}, 5, 1)
    second = bench.node("update_record", UPSERT, {"code": "D-1"}).output
    assert (second["created"], second["updated"]) == (None, [deal["id"]])
    assert (bench.get(deal["id"]) or {})["seen"] == 2


def test_executions_at_the_same_time_create_one_and_lose_nothing(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        outputs = list(
            pool.map(lambda _: bench.node("update_record", UPSERT, {"code": "D-1"}).output, range(8))
        )
    [deal] = bench.all("deals")
    assert sum(output["created"] is not None for output in outputs) == 1
    assert deal["seen"] == 8


def test_a_created_record_fits_its_pipeline(bench: Bench) -> None:
    fields = [{"id": name, "type": "json"} for name in ("code", "place", "score", "seen")]
    bench.pipeline("deals", {"id": "name", "required": True}, *fields)
    ran = bench.node("update_record", UPSERT, {"code": "D-1"})
    assert "field 'name' is required" in ran.message
    assert bench.all("deals") == []


def test_a_unique_value_of_another_record_is_refused(bench: Bench) -> None:
    bench.pipeline("deals", {"id": "code", "unique": True})
    known, deal = bench.record("deals", code="D-1"), bench.record("deals", code="D-2")
    ran = bench.node("update_record", {"update_fields": {"code": "D-1"}}, {"record_id": deal})
    assert f"field 'code' is unique, and record {known} has \"D-1\" already" in ran.message
    assert ran.error["type"] == "PermanentNodeError"
    assert (bench.get(deal) or {})["code"] == "D-2"


def test_an_unknown_stage_is_refused_with_the_nearest(bench: Bench) -> None:
    bench.pipeline("deals", stages=[{"id": "new"}, {"id": "won"}])
    deal = bench.record("deals", stage="new")
    ran = bench.node("update_record", {"update_fields": {"stage": "wonn"}}, {"record_id": deal})
    assert "there is no stage 'wonn' (did you mean 'won'?)" in ran.message
    bench.node("update_record", {"update_fields": {"stage": "won"}}, {"record_id": deal})
    assert (bench.get(deal) or {})["stage"] == "won"


def test_a_change_of_stage_stands_in_the_history_with_its_execution(bench: Bench) -> None:
    from oneo.store import history

    deal = bench.record("deals", stage="new")
    ran = bench.node("update_record", {"update_fields": {"stage": "won"}}, {"record_id": deal})
    with bench.database.tenant(bench.tenant) as session:
        entry = history.view(history.of_record(session, deal)[-1])
    assert entry["changes"] == {"stage": {"before": "new", "after": "won"}}
    assert entry["execution"] == ran.execution


def test_what_did_not_fit_before_holds_up_no_other_change(bench: Bench) -> None:
    deal = bench.record("deals", score="high")
    bench.pipeline("deals", {"id": "score", "type": "number"}, {"id": "name", "required": True})
    assert bench.node("update_record", {"update_fields": {"x": 1}}, {"record_id": deal}).output[
        "changed"
    ] == ["x"]
    ran = bench.node("update_record", {"update_fields": {"score": "low"}}, {"record_id": deal})
    assert "'low' is not of type 'number'" in ran.message
    assert "required" not in ran.message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"filters": {"a": 1}}, "`filters` needs a `pipeline_id`"),
        ({"filters": {}, "pipeline_id": "deals"}, "`filters` has at least one condition"),
        ({"filters": {"a": 1}, "pipeline_id": "deals", "record_id": "{{record.id}}"}, "and no `record_id`"),
        (
            {"filters": {"a": 1}, "pipeline_id": "deals", "expected_version": 1},
            "`expected_version` is that of one",
        ),
        ({"create_if_not_found": True}, "`create_if_not_found` needs `filters`"),
        ({"only_if": {"a": {"$gtt": 1}}}, "did you mean '$gt'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_at_save(
    bench: Bench, config: dict[str, Any], message: str
) -> None:
    assert message in " ".join(bench.problems("update_record", {"update_fields": {"a": 1}, **config}))
