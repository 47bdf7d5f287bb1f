"""task_notify: who is told what, on which channels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.bench import EXAMPLES, Bench

EXAMPLE = EXAMPLES["task_notify"]
PLAIN: dict[str, Any] = {"recipients": ["eva"], "title": "Hello", "message": "World"}


def told(bench: Bench, config: dict[str, Any], data: dict[str, Any] | None = None, **more: Any) -> list[Any]:
    ran = bench.node("task_notify", config, data, **more)
    notes = bench.notifications_of(ran.execution)
    assert sorted(str(note.id) for note in notes) == sorted(ran.output["notifications"])
    return notes


def test_the_example_tells_owner_and_manager_by_mail_and_slack(bench: Bench, record_url: str) -> None:
    lead = bench.record("leads", owner="eva", name="Ada")
    notes = told(bench, EXAMPLE, {"record_id": lead}, variables={"manager": "max"})
    assert [(note.channel, note.recipient) for note in notes] == [
        ("email", "eva"),
        ("email", "max"),
        ("slack", "eva"),
        ("slack", "max"),
    ]
    assert {note.title for note in notes} == {"New high-value lead assigned"}
    assert {note.message for note in notes} == {"Lead Ada requires attention"}
    assert {note.priority for note in notes} == {"high"}
    assert {note.status for note in notes} == {"queued"}
    assert {note.link_url for note in notes} == {f"https://crm.example.com/leads/{lead}"}


def test_defaults(bench: Bench) -> None:
    [note] = told(bench, PLAIN)
    assert (note.channel, note.status, note.priority, note.link_url) == ("in_app", "unread", "normal", None)


def test_notification_type_is_the_channel_where_none_is_listed(bench: Bench) -> None:
    [note] = told(bench, {**PLAIN, "notification_type": "sms"})
    assert note.channel == "sms"


def test_gaps_are_left_out_and_doubles_told_once(bench: Bench) -> None:
    lead = bench.record("leads")
    recipients = ["{{record.owner}}", "", "eva", "{{trigger.team}}", "eva"]
    config = {**PLAIN, "recipients": recipients, "channels": ["email", "email", "in_app"]}
    notes = told(bench, config, {"record_id": lead, "team": 7})
    assert [(note.channel, note.recipient) for note in notes] == [
        ("email", "7"),
        ("email", "eva"),
        ("in_app", "7"),
        ("in_app", "eva"),
    ]


def test_recipients_may_come_as_a_list(bench: Bench) -> None:
    notes = told(bench, {**PLAIN, "recipients": "{{trigger.team}}"}, {"team": ["eva", "max", None]})
    assert [note.recipient for note in notes] == ["eva", "max"]


def test_the_link_defaults_to_the_record_and_needs_include_link(bench: Bench, record_url: str) -> None:
    lead = bench.record("leads")
    [note] = told(bench, {**PLAIN, "include_link": True}, {"record_id": lead})
    assert note.link_url == f"https://crm.example.com/leads/{lead}"
    [note] = told(bench, {**PLAIN, "link_url": "https://example.com/x"}, {"record_id": lead})
    assert note.link_url is None
    [note] = told(bench, {**PLAIN, "include_link": True, "link_url": "/reports/7"}, {"record_id": lead})
    assert note.link_url == "/reports/7"


def test_without_an_address_of_records_there_is_no_link(bench: Bench) -> None:
    [note] = told(
        bench,
        {**PLAIN, "include_link": True, "link_url": "{{record.url}}"},
        {"record_id": bench.record("leads")},
    )
    assert note.link_url is None


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "//evil.example",
        "/\\evil.example",
        "ftp://x",
        "example.com",
        "https://",
        "https:///x",
        "",
    ],
)
def test_links_that_lead_nowhere_good_are_refused(bench: Bench, link: str) -> None:
    ran = bench.node(
        "task_notify", {**PLAIN, "include_link": True, "link_url": "{{trigger.link}}"}, {"link": link}
    )
    assert ran.error["type"] == "PermanentNodeError"
    assert f"link_url {link!r} is not a web address (start it with https://" in ran.message
    assert bench.notifications_of(ran.execution) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipients": ["{{record.owner}}"]}, "config.recipients: List should have at least 1 item"),
        ({"title": "{{trigger.long}}"}, "config.title: String should have at most 500 characters"),
        ({"recipients": "{{trigger.long}}"}, "config.recipients: Input should be a valid list"),
        ({"message": "{{manager}}"}, "there is nothing named 'manager'"),
    ],
)
def test_failures_say_where_and_what(bench: Bench, change: dict[str, Any], message: str) -> None:
    data = {"record_id": bench.record("leads"), "long": "x" * 501}
    ran = bench.node("task_notify", {**PLAIN, **change}, data)
    assert message in ran.message
    assert len(ran.message) < 400


def test_saving_checks_the_options(bench: Bench) -> None:
    assert bench.problems("task_notify", EXAMPLE) == []
    for change in ({"channels": ["fax"]}, {"notification_type": "fax"}, {"priority": "now"}, {"title": ""}):
        [found] = bench.problems("task_notify", {**EXAMPLE, **change})
        assert next(iter(change)) in found
