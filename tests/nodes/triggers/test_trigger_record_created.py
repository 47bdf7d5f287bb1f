"""trigger_record_created: which new records start a workflow, and when."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.catalogue import Watch
from oneo_operators.nodes.triggers.trigger_record_created import (
    TriggerRecordCreatedConfig,
    TriggerRecordCreatedOperator,
)
from tests.nodes.bench import EXAMPLES, Bench

EXAMPLE = EXAMPLES["trigger_record_created"]


def read(**config: Any) -> TriggerRecordCreatedConfig:
    return TriggerRecordCreatedConfig.model_validate(config)


def test_the_example(bench: Bench) -> None:
    config = read(**EXAMPLE)
    assert config.pipeline_ids == ["leads", "contacts"]
    assert config.field_filters == {"source": "website", "score": {"$gte": 50}}
    assert (config.delay_seconds, config.batch_processing) == (60, False)
    assert TriggerRecordCreatedOperator.watch(EXAMPLE) == Watch(("created",), ("leads", "contacts"))
    assert bench.problems("trigger_record_created", EXAMPLE) == []


def test_defaults_watch_everything_at_once() -> None:
    config = read()
    assert (config.pipeline_ids, config.field_filters) == (["*"], {})
    assert (config.delay_seconds, config.batch_processing) == (0, False)
    assert TriggerRecordCreatedOperator.watch({}) == Watch(("created",), ("*",))


def test_one_pipeline_can_be_written_short(bench: Bench) -> None:
    assert read(pipeline_id="leads").pipeline_ids == ["leads"]
    assert TriggerRecordCreatedOperator.watch({"pipeline_id": "leads"}).topics == ("leads",)
    assert bench.problems("trigger_record_created", {"pipeline_id": "leads"}) == []
    both = bench.problems("trigger_record_created", {"pipeline_id": "leads", "pipeline_ids": ["deals"]})
    assert "unknown option 'pipeline_id'" in both[0]


@pytest.mark.parametrize("seconds", [0, 1, 31_536_000])
def test_delays_up_to_a_year(seconds: int) -> None:
    assert read(delay_seconds=seconds).delay_seconds == seconds


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"delay_seconds": -1}, "greater than or equal to 0, got -1"),
        ({"delay_seconds": 31_536_001}, "less than or equal to 31536000, got 31536001"),
        ({"pipeline_ids": []}, "at least 1 item"),
        ({"field_filters": {"score": {"$gt": [1]}}}, "$gt needs a number or a text, got list"),
        ({"field_filters": {"score": {"$near": 1}}}, "unknown operator '$near'"),
        ({"field_filters": {"$gte": {"$ne": 1}}}, "filter field '$gte' is not a field name"),
        ({"batch_processing": "often"}, "should be a valid boolean"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, config: dict[str, Any], message: str) -> None:
    [found] = bench.problems("trigger_record_created", config)
    assert message in found
    assert f"$.nodes[0].config.{next(iter(config))}" in found


def test_its_output_is_what_the_event_brought(bench: Bench) -> None:
    event = {"record_id": bench.record("leads", name="Ada"), "event": "created"}
    nodes = [{"id": "new", "type": "trigger_record_created", "config": EXAMPLE}]
    report = bench.run({"name": "w", "nodes": nodes}, event, trigger="new")
    output = report["nodes"]["new"]["output"]
    assert (output["name"], output["pipeline_id"], output["event"]) == ("Ada", "leads", "created")
