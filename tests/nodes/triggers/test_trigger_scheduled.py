"""trigger_scheduled: when the clock starts a workflow."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import CronTriggerTimetable

from dag_factory.catalogue import Schedule
from dag_factory.examine import plan_of
from oneo_operators.nodes.triggers.trigger_scheduled import TriggerScheduledOperator
from tests.nodes.bench import EXAMPLES, Bench

EXAMPLE = EXAMPLES["trigger_scheduled"]


def test_the_example_is_monday_morning_in_new_york(bench: Bench) -> None:
    wanted = Schedule("0 9 * * MON", "America/New_York", 1, catchup=False)
    assert TriggerScheduledOperator.schedule(EXAMPLE) == wanted
    nodes = [{"id": "clock", "type": "trigger_scheduled", "config": EXAMPLE}]
    plan = plan_of({"name": "w", "nodes": nodes}, bench.catalogue)
    assert (plan.schedule, plan.max_active_runs) == (wanted, 1)


def test_defaults() -> None:
    assert TriggerScheduledOperator.schedule({"cron_expression": "*/5 * * * *"}) == Schedule(
        "*/5 * * * *", "UTC", 1, catchup=False
    )


def test_catch_up_and_concurrency() -> None:
    config = {"cron_expression": "@daily", "max_concurrent": 3, "catch_up_on_failure": True}
    assert TriggerScheduledOperator.schedule(config) == Schedule("@daily", "UTC", 3, catchup=True)


@pytest.mark.parametrize("preset", ["@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly"])
def test_presets_are_known_here_and_to_airflow(bench: Bench, preset: str) -> None:
    assert bench.problems("trigger_scheduled", {"cron_expression": preset}) == []
    CronTriggerTimetable(preset, timezone="UTC")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cron_expression": "every monday"}, "'every monday' is not a cron expression; write minute, hour"),
        ({"cron_expression": "61 * * * *"}, "is not a cron expression"),
        ({"cron_expression": "0 0 9 * * MON"}, "is not a cron expression"),
        ({"cron_expression": "@fortnightly"}, "or one of @hourly, @daily"),
        (
            {"timezone": "Mars/Olympus"},
            "'Mars/Olympus' is no time zone; write an IANA name such as Europe/Berlin",
        ),
        ({"timezone": "../etc/passwd"}, "is no time zone"),
        ({"max_concurrent": 0}, "greater than or equal to 1"),
        ({"max_concurrent": 1001}, "less than or equal to 1000"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, config: dict[str, Any], message: str) -> None:
    [found] = bench.problems("trigger_scheduled", {**EXAMPLE, **config})
    assert message in found


def test_the_expression_is_needed(bench: Bench) -> None:
    [found] = bench.problems("trigger_scheduled", {})
    assert "option 'cron_expression' of trigger_scheduled is missing" in found


def test_its_output_is_the_trigger_data(bench: Bench) -> None:
    nodes = [{"id": "clock", "type": "trigger_scheduled", "config": EXAMPLE}]
    data = {"scheduled_for": "2031-01-06T09:00:00-05:00"}
    assert bench.run({"name": "w", "nodes": nodes}, data, trigger="clock")["output"] == data
