"""create_follow_up_task: who does what until when, about which record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.nodes.bench import EXAMPLES, Bench

EXAMPLE = EXAMPLES["create_follow_up_task"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def task(bench: Bench, config: dict[str, Any], data: dict[str, Any] | None = None, **more: Any) -> Any:
    return bench.node("create_follow_up_task", {"title": "Call", **config}, data, **more).output


def test_the_example_gives_the_owner_a_call_in_three_days(bench: Bench) -> None:
    deal = bench.record("deals", owner="eva", name="Big deal")
    before = datetime.now(UTC)
    output = task(bench, EXAMPLE, {"record_id": deal})
    [kept] = bench.tasks_of(deal)
    assert kept["task_id"] == output["task_id"]
    assert (kept["type"], kept["status"], kept["priority"]) == ("call", "open", "high")
    assert (kept["title"], kept["description"]) == ("Follow up on proposal", "Check if they have questions")
    assert (kept["assigned_to"], kept["record_id"]) == ("eva", deal)
    assert timedelta() <= kept["due_at"] - (before + timedelta(days=3)) < timedelta(minutes=1)
    assert kept["due_at"] - kept["remind_at"] == timedelta(minutes=15)


def test_defaults(bench: Bench) -> None:
    output = task(bench, {})
    assert (output["type"], output["priority"], output["status"]) == ("task", "medium", "open")
    optional = ("description", "due_at", "remind_at", "assigned_to", "record_id")
    assert [output[name] for name in optional] == [None] * 5


def test_a_record_without_owner_leaves_the_task_to_nobody(bench: Bench) -> None:
    deal = bench.record("deals")
    assert task(bench, EXAMPLE, {"record_id": deal})["assigned_to"] is None


def test_the_executions_record_is_the_default_another_can_be_named(bench: Bench) -> None:
    deal, other = bench.record("deals"), bench.record("contacts")
    assert task(bench, {}, {"record_id": deal})["record_id"] == deal
    assert task(bench, {"related_record": other}, {"record_id": deal})["record_id"] == other


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2031-05-06", "2031-05-06T23:59:59+02:00"),
        ("2031-05-06T10:30", "2031-05-06T10:30:00+02:00"),
        ("2031-12-06T10:30", "2031-12-06T10:30:00+01:00"),
        ("2031-05-06T10:30:00Z", "2031-05-06T10:30:00+00:00"),
        ("{{ trigger.due }}", "2031-07-01T08:00:00+02:00"),
    ],
)
def test_due_dates_are_read_in_the_workflows_zone(bench: Bench, due: str, expected: str) -> None:
    zone = {"timezone": "Europe/Berlin"}
    output = task(bench, {"due_date": due}, {"due": "2031-07-01T08:00"}, settings=zone)
    assert moment(output["due_at"]) == moment(expected)


def test_today_means_its_end(bench: Bench) -> None:
    due = task(bench, {"due_date": "{{ today }}"}, settings={"timezone": "Asia/Tokyo"})["due_at"]
    tokyo = moment(due) + timedelta(hours=9)
    assert (tokyo.hour, tokyo.minute) == (23, 59)


def test_numbers_of_expressions_may_stand_in_texts(bench: Bench) -> None:
    output = task(bench, {"title": "{{trigger.number}}", "description": "{{trigger.number}}"}, {"number": 7})
    assert (output["title"], output["description"]) == ("7", "7")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"reminder_before_minutes": 15},
            "reminder_before_minutes needs a due_date (set due_date, or leave both out)",
        ),
        ({"related_record": "{{trigger.none | default('nope')}}"}, "there is no record nope"),
        ({"due_date": "{{trigger.text}}"}, "config.due_date"),
        ({"title": "{{trigger.empty}}"}, "config.title: String should have at least 1 character, got ''"),
        (
            {"priority": "{{trigger.text}}"},
            "config.priority: Input should be 'low', 'medium', 'high' or 'urgent'",
        ),
    ],
)
def test_failures_say_where_and_what(bench: Bench, config: dict[str, Any], message: str) -> None:
    data = {"text": "whenever", "empty": ""}
    ran = bench.node("create_follow_up_task", {"title": "Call", **config}, data)
    assert message in ran.message
    assert ran.error["type"] == "ConfigError"


def test_saving_checks_the_options(bench: Bench) -> None:
    assert bench.problems("create_follow_up_task", EXAMPLE) == []
    for change in ({"due_date": "2031-13-40"}, {"reminder_before_minutes": -1}, {"priority": "now"}):
        [*found] = bench.problems("create_follow_up_task", {**EXAMPLE, **change})
        assert next(iter(change)) in found[0]
