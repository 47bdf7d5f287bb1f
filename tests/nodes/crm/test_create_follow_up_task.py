"""create_follow_up_task: who does what until when, about which record."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from oneo.store import tenants
from oneo.store.models import Task
from oneo_operators.nodes.crm import _due
from oneo_operators.nodes.crm.create_follow_up_task import CreateFollowUpTaskConfig
from tests.nodes.bench import EXAMPLES, Bench, workflow

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


# Friday, 5 in the afternoon in Berlin; Monday the 6th is Easter Monday.
FRIDAY = datetime(2026, 4, 3, 17, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("due", "options", "expected"),
    [
        ("+2 days", {}, "2026-04-05T17:00+02:00"),
        ("in 2 days", {}, "2026-04-05T17:00+02:00"),
        ("-1 day", {}, "2026-04-02T17:00+02:00"),
        ("+1 week", {}, "2026-04-10T17:00+02:00"),
        ("+1 month", {}, "2026-05-03T17:00+02:00"),
        ("1 year", {}, "2027-04-03T17:00+02:00"),
        ("+90 minutes", {}, "2026-04-03T18:30+02:00"),
        ("P2D", {}, "2026-04-05T17:00+02:00"),
        ("P1W", {}, "2026-04-10T17:00+02:00"),
        ("P1Y2M", {}, "2027-06-03T17:00+02:00"),
        ("PT36H", {}, "2026-04-05T05:00+02:00"),
        ("-P1DT1H", {}, "2026-04-02T16:00+02:00"),
        ("tomorrow", {}, "2026-04-04T23:59:59+02:00"),
        ("+2 business days", {}, "2026-04-07T17:00+02:00"),
        ("+2 business days", {"holiday_country": "DE"}, "2026-04-08T17:00+02:00"),
        ("-1 working days", {"holiday_country": "DE"}, "2026-04-02T17:00+02:00"),
        ("+2 days", {"business_days": True}, "2026-04-07T17:00+02:00"),
        ("+1 week", {"business_days": True, "holiday_country": "DE"}, "2026-04-10T17:00+02:00"),
        ("tomorrow", {"business_days": True}, "2026-04-06T23:59:59+02:00"),
        ("2026-04-04", {"business_days": True, "holiday_country": "DE"}, "2026-04-07T23:59:59+02:00"),
        ("2026-06-04T10:00", {"business_days": True, "holiday_country": "DE"}, "2026-06-04T10:00+02:00"),
        ("2026-06-04T10:00", {"business_days": True, "holiday_country": "DE-BY"}, "2026-06-05T10:00+02:00"),
    ],
)
def test_due_dates_from_now(due: str, options: dict[str, Any], expected: str) -> None:
    config = CreateFollowUpTaskConfig(title="Call", due_date=due, **options)
    read = _due.read(str(config.due_date))
    assert read is not None
    found = _due.moment_of(read, FRIDAY, config.holiday_country, business_days=config.business_days)
    assert found == moment(expected)


@pytest.mark.parametrize("due", ["+2 days", "P2D", "{{ trigger.due }}"])
def test_a_due_date_from_now_is_kept_with_the_task(bench: Bench, due: str) -> None:
    before = datetime.now(UTC)
    output = task(bench, {"due_date": due}, {"due": "in 2 days"})
    assert timedelta() <= moment(output["due_at"]) - (before + timedelta(days=2)) < timedelta(minutes=1)


def test_zone_and_country_are_the_tenants_unless_they_are_given(bench: Bench) -> None:
    with bench.database.system() as session:
        tenants.set_setting(session, bench.tenant, "timezone", "America/New_York")
        tenants.set_setting(session, bench.tenant, "country", "US")
    day = {"due_date": "2031-07-04"}

    def due(settings: dict[str, Any] | None = None, **options: Any) -> datetime:
        return moment(task(bench, {**day, **options}, settings=settings or {})["due_at"])

    assert due() == moment("2031-07-04T23:59:59-04:00")
    assert due(business_days=True) == moment("2031-07-07T23:59:59-04:00")
    assert due(business_days=True, holiday_country="DE") == moment("2031-07-04T23:59:59-04:00")
    assert due({"timezone": "Europe/Berlin"}) == moment("2031-07-04T23:59:59+02:00")
    assert due({"timezone": "Europe/Berlin"}, timezone="Asia/Tokyo") == moment("2031-07-04T23:59:59+09:00")


def test_a_record_owner_gets_the_task_else_who_is_named(bench: Bench) -> None:
    owned, free = bench.record("deals", owner="eva"), bench.record("deals")
    config = {"assignment": "record_owner", "assigned_to": "desk", "related_record": "{{trigger.other}}"}
    assert task(bench, config, {"other": owned})["assigned_to"] == "eva"
    assert task(bench, config, {"other": free})["assigned_to"] == "desk"
    assert task(bench, {"assignment": "record_owner"})["assigned_to"] is None


TEAM = ["eva", "bob", "zoe"]


def test_people_take_turns(bench: Bench) -> None:
    config = {"assignment": "round_robin", "assignees": [*TEAM, "{{trigger.nobody | default('')}}"]}
    assert [task(bench, config)["assigned_to"] for _ in range(5)] == [*TEAM, "eva", "bob"]
    shared = {**config, "rotation": "inbound"}
    nodes = [{"id": "first", "type": "create_follow_up_task", "config": {"title": "Ring", **shared}}]
    ran = bench.node("create_follow_up_task", {"title": "Call", **shared}, nodes=nodes)
    assert ran.report["nodes"]["first"]["output"]["assigned_to"] == "eva"
    assert ran.output["assigned_to"] == "bob"


def test_turns_are_fair_at_the_same_time(bench: Bench) -> None:
    config = {"assignment": "round_robin", "assignees": TEAM}
    with ThreadPoolExecutor(4) as pool:
        people = list(pool.map(lambda _: task(bench, config)["assigned_to"], range(12)))
    assert Counter(people) == dict.fromkeys(TEAM, 4)


def test_a_task_that_fails_takes_no_turn(bench: Bench) -> None:
    config = {"assignment": "round_robin", "assignees": TEAM, "rotation": "inbound"}
    assert task(bench, config)["assigned_to"] == "eva"
    bench.node("create_follow_up_task", {"title": "Call", **config, "due_date": "9999 years"})
    assert task(bench, config)["assigned_to"] == "bob"


def test_an_attempt_that_is_repeated_takes_no_second_turn(bench: Bench) -> None:
    config = {"assignment": "round_robin", "assignees": TEAM, "rotation": "inbound", "due_date": "+1 day"}
    node = {"id": "node", "type": "create_follow_up_task", "config": {"title": "Call", **config}}
    node["config"]["reminder_before_minutes"] = 5
    state = bench.begin(workflow(node))
    first, second = bench.attempt(state, "node"), bench.attempt(state, "node")
    assert (first.output, first.output["assigned_to"]) == (second.output, "eva")
    assert len(bench.notifications_of(str(state.id))) == 1
    assert task(bench, config)["assigned_to"] == "bob"


def test_whoever_has_the_fewest_open_tasks_gets_the_next(bench: Bench) -> None:
    config = {"assignment": "least_load", "assignees": TEAM}
    for person in ("eva", "eva", "zoe"):
        task(bench, {"assigned_to": person})
    assert task(bench, config)["assigned_to"] == "bob"
    assert task(bench, config)["assigned_to"] == "bob"
    with bench.database.tenant(bench.tenant) as session:
        session.execute(update(Task).where(Task.assigned_to == "eva").values(status="done"))
    assert task(bench, config)["assigned_to"] == "eva"


def test_the_load_is_shared_at_the_same_time(bench: Bench) -> None:
    config = {"assignment": "least_load", "assignees": TEAM}
    with ThreadPoolExecutor(4) as pool:
        people = list(pool.map(lambda _: task(bench, config)["assigned_to"], range(9)))
    assert Counter(people) == dict.fromkeys(TEAM, 3)


def test_the_reminder_waits_until_it_is_due(bench: Bench) -> None:
    deal = bench.record("deals", owner="eva")
    ran = bench.node("create_follow_up_task", {**EXAMPLE, "reminder_channel": "email"}, {"record_id": deal})
    [note] = bench.notifications_of(ran.execution)
    assert (note.status, note.channel, note.recipient) == ("scheduled", "email", "eva")
    assert (note.title, note.message, note.priority) == (EXAMPLE["title"], EXAMPLE["description"], "high")
    assert (note.due_at, str(note.task_id)) == (moment(ran.output["remind_at"]), ran.output["task_id"])


def test_without_a_reminder_or_somebody_to_remind_there_is_none(bench: Bench) -> None:
    for config in (
        {"due_date": "+1 day", "assigned_to": "eva"},
        {"due_date": "P1D", "reminder_before_minutes": 5},
    ):
        ran = bench.node("create_follow_up_task", {"title": "Call", **config})
        assert bench.notifications_of(ran.execution) == []


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
        ({"due_date": "{{trigger.text}}"}, "or a time from now: +2 days, +1 week"),
        ({"due_date": "9999 years"}, "config.due_date: '9999 years' is beyond the calendar"),
        (
            {"due_date": "+1 day", "business_days": True, "holiday_country": "XX"},
            "no holidays are known of 'XX' (give a country, or with its region: DE, DE-BY, US)",
        ),
        (
            {"assignment": "round_robin", "assignees": ["{{trigger.empty}}"]},
            "`assignees` names people for the assignments round_robin and least_load",
        ),
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
    config = {**EXAMPLE, "due_date": "+2 days"}
    for change in (
        {"due_date": "2031-13-40"},
        {"reminder_before_minutes": -1},
        {"priority": "now"},
        {"assignees": ["eva"]},
        {"assignment": "round_robin", "title": "Call"},
        {"timezone": "Mars/Base"},
        {"holiday_country": "Germany"},
    ):
        [*found] = bench.problems("create_follow_up_task", {**config, **change})
        assert next(iter(change)) in found[0], found
