"""trigger_manual: a start by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from dag_factory.catalogue import Starter
from dag_factory.examine import plan_of
from dag_factory.render import Edition, render
from oneo.errors import UserError
from oneo.settings import settings
from oneo_app.runs import run_here
from oneo_operators.catalogue import catalogue
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


ASKING = {
    "id": "asking",
    "name": "Asking",
    "nodes": [
        {"id": "start", "type": "trigger_manual", "config": EXAMPLE},
        {"id": "keep", "type": "set_variable", "config": {"variables": {"done": True}}},
    ],
}


def start(bench: Bench, *, answer: bool) -> dict[str, Any]:
    return run_here(bench.database, bench.tenant, ASKING, {}, ask=lambda question: answer)


def test_a_start_that_was_not_confirmed_is_refused_with_the_question(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"not confirmed: Execute workflow\?"):
        start(bench, answer=False)


def test_a_confirmed_start_by_somebody_of_an_allowed_type_runs(bench: Bench) -> None:
    assert start(bench, answer=True)["status"] == "success"


def test_somebody_of_no_allowed_type_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEO_USER", "eva")
    monkeypatch.setenv("ONEO_USER_TYPES", '{"eva": ["sales"]}')
    settings.cache_clear()
    with pytest.raises(UserError, match=r"user 'eva' may not start this workflow: only admin, manager may"):
        start(bench, answer=True)


def test_without_restrictions_everybody_starts_it_unasked() -> None:
    TriggerManualOperator.admit({}, Starter())
    assert TriggerManualOperator.question({}) is None


def test_the_form_holds_the_question_as_a_box_that_must_be_ticked() -> None:
    plan = plan_of(ASKING, catalogue())
    edition = Edition("acme", 1, datetime(2026, 1, 1, tzinfo=UTC), ASKING)
    field = render(plan, edition, catalogue()).params.get_param("oneo_confirmed")
    assert (field.schema["title"], field.description) == ("Run Workflow", "Execute workflow?")
    assert field.schema["const"] is True
    with pytest.raises(ParamValidationError):
        field.resolve(False)
    assert field.resolve(True) is True
