"""trigger_manual: a start by hand."""

from __future__ import annotations

from typing import Any

import pytest

from oneo_operators.nodes.triggers.trigger_manual import TriggerManualConfig, TriggerManualOperator
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["trigger_manual"]


def test_the_example_describes_the_button(bench: Bench) -> None:
    config = TriggerManualConfig.model_validate(EXAMPLE)
    assert config.require_confirmation is True
    assert config.confirmation_message == "Execute workflow?"
    assert config.allowed_user_types == ["admin", "manager"]
    assert config.button_text == "Run Workflow"
    assert bench.problems("trigger_manual", EXAMPLE) == []


def test_defaults_ask_nothing_and_allow_everyone() -> None:
    config = TriggerManualConfig.model_validate({})
    assert (config.require_confirmation, config.allowed_user_types) == (False, [])
    assert config.button_text == "Run Workflow"


def test_its_output_is_the_data_given(bench: Bench) -> None:
    nodes = [{"id": "start", "type": "trigger_manual", "config": EXAMPLE}]
    report = bench.run({"name": "w", "nodes": nodes}, {"name": "Ada", "n": 1})
    assert report["status"] == "success"
    assert report["output"] == report["nodes"]["start"]["output"] == {"name": "Ada", "n": 1}


def test_a_record_id_brings_the_records_fields(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada", owner="eva")
    note = {
        "recipients": ["{{trigger.owner}}"],
        "title": "{{name}}",
        "message": "{{trigger.record.pipeline_id}}",
    }
    report = bench.run(workflow({"id": "tell", "type": "task_notify", "config": note}), {"record_id": lead})
    [told] = bench.notifications_of(report["execution"])
    assert (told.recipient, told.title, told.message) == ("eva", "Ada", "leads")


@pytest.mark.parametrize(
    "config", [{"require_confirmation": "maybe"}, {"allowed_user_types": "admin"}, {"label": "x"}]
)
def test_saving_checks_the_options(bench: Bench, config: dict[str, Any]) -> None:
    [found] = bench.problems("trigger_manual", config)
    assert f"$.nodes[0].config.{next(iter(config))}" in found


def test_it_watches_nothing_and_keeps_no_time() -> None:
    assert TriggerManualOperator.is_trigger
    assert TriggerManualOperator.watch(EXAMPLE) is None
    assert TriggerManualOperator.schedule(EXAMPLE) is None
