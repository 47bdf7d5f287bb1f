"""`settings.start`: who is kept out, what is left out, what becomes one execution; always with the reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oneo.store import executions, inbox, locks, suppressions
from oneo.store.models import Execution
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.waiting import start_gathered
from tests.dispatcher.crm import Crm
from tests.messaging.arriving import arrive
from tests.messaging.payloads import MAIL, WHATSAPP


def finish(crm: Crm, row: Execution, status: str = "success", *, began: bool = True) -> None:
    with crm.database.system() as session:
        held = executions.get_for_update(session, crm.tenant, row.id)
        if began:
            held.started_at = held.created_at
        executions.finish(session, held, status)


def age(crm: Crm, minutes: int) -> None:
    """Let all executions be that much older."""
    with crm.database.system() as session:
        session.connection().exec_driver_sql(
            "UPDATE executions SET created_at = created_at - make_interval(mins => %s) WHERE tenant_id = %s",
            (minutes, crm.tenant),
        )


def updated(crm: Crm, **start: object) -> None:
    crm.watch("trigger_record_updated", settings={"start": start})


def test_once_a_record_has_started_the_workflow_it_never_does_again(crm: Crm) -> None:
    updated(crm, enrollment="once")
    ann, ben = crm.add(), crm.add()
    for turn in range(3):
        crm.change(ann, turn=turn)
        crm.round()
    crm.change(ben, turn=1)
    crm.round()
    first, second = crm.started
    assert (first.record_id, second.record_id) == (ann.id, ben.id)
    finish(crm, first)
    crm.change(ann, turn=9)
    crm.round()
    assert crm.decision() == {
        "outcome": "kept_out",
        "reason": f"the record has had execution {first.id} (settings.start.enrollment: once)",
    }


def test_a_record_that_was_cancelled_before_it_began_may_start_again(crm: Crm) -> None:
    updated(crm, enrollment="once")
    record = crm.add()
    crm.change(record, turn=1)
    crm.round()
    finish(crm, crm.started[0], "cancelled", began=False)
    crm.change(record, turn=2)
    crm.round()
    assert len(crm.started) == 2


def test_once_until_done_a_record_starts_again_when_its_execution_has_ended(crm: Crm) -> None:
    updated(crm, enrollment="once_until_done")
    record = crm.add()
    for turn in range(2):
        crm.change(record, turn=turn)
    crm.round()
    (first,) = crm.started
    assert crm.decision()["reason"] == (
        f"the record still has execution {first.id} (settings.start.enrollment: once_until_done)"
    )
    finish(crm, first, "failed")
    crm.change(record, turn=7)
    crm.round()
    assert len(crm.started) == 2


@pytest.mark.parametrize("often", ["once", "once_until_done"])
def test_changes_that_are_gathered_while_a_record_is_enrolled_start_nothing_more(
    crm: Crm, often: str
) -> None:
    crm.watch("trigger_record_updated", debounce_seconds=5, settings={"start": {"enrollment": often}})
    record = crm.add()
    crm.change(record, turn=1)
    crm.round()
    crm.make_due()
    crm.round()
    crm.change(record, turn=2)
    crm.round()
    assert len(crm.started) == 1
    assert crm.decision()["outcome"] == "kept_out"


def test_two_dispatchers_enrol_a_record_once(crm: Crm) -> None:
    updated(crm, enrollment="once")
    record = crm.add()
    for turn in range(150):
        crm.change(record, turn=turn)

    def dispatch(_: int) -> int:
        return sum(match_events(crm.database, TriggerIndex()) for _ in range(20))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(dispatch, range(2)))
    crm.round()
    assert len(crm.started) == 1
    outcomes = [one["watch/start"]["outcome"] for one in crm.decisions if one]
    assert sorted(outcomes) == ["kept_out"] * 149 + ["started"]


def test_while_another_decides_about_a_tenant_its_events_wait(crm: Crm) -> None:
    updated(crm)
    crm.change(crm.add(), turn=1)
    with crm.database.system() as other:
        assert locks.try_tenants(other, [crm.tenant]) == {crm.tenant}
        crm.match()
        assert crm.started == []
    crm.match()
    assert len(crm.started) == 1


def test_what_overlaps_is_skipped_by_workflow(crm: Crm) -> None:
    updated(crm, overlap="skip")
    ann, ben = crm.add(), crm.add()
    crm.change(ann, turn=1)
    crm.change(ben, turn=1)
    crm.round()
    (first,) = crm.started
    assert crm.decision() == {
        "outcome": "kept_out",
        "reason": f"execution {first.id} has not ended (settings.start.overlap: skip)",
    }
    finish(crm, first)
    crm.change(ben, turn=2)
    crm.round()
    assert [row.record_id for row in crm.started] == [ann.id, ben.id]


def test_what_overlaps_is_skipped_by_record(crm: Crm) -> None:
    updated(crm, overlap="skip", overlap_key="record")
    ann, ben = crm.add(), crm.add()
    for record in (ann, ben, ann):
        crm.change(record, turn=str(record.id), again=record is ann and len(crm.started))
        crm.round()
    assert [row.record_id for row in crm.started] == [ann.id, ben.id]


def test_gathered_events_that_overlap_say_so(crm: Crm) -> None:
    crm.watch(
        "trigger_record_created",
        batch_processing=True,
        batch_size=2,
        settings={"start": {"overlap": "skip"}},
    )
    for _ in range(4):
        crm.add()
        crm.round()
    (first,) = crm.started
    assert f"execution {first.id} has not ended" in crm.decision()["reason"]
    assert [one["watch/start"]["outcome"] for one in crm.decisions] == ["gathered"] * 2 + ["kept_out"] * 2


def test_above_the_limit_of_an_hour_events_are_dropped(crm: Crm) -> None:
    updated(crm, max_executions_per_hour=2, on_limit="drop")
    record = crm.add()
    for turn in range(4):
        crm.change(record, turn=turn)
        crm.round()
    assert len(crm.started) == 2
    assert crm.decision()["reason"] == (
        "2 executions have come within an hour (settings.start.max_executions_per_hour, on_limit: drop)"
    )
    age(crm, 61)
    crm.change(record, turn=9)
    crm.round()
    assert len(crm.started) == 3


def test_above_the_limit_of_an_hour_events_become_one_execution(crm: Crm) -> None:
    updated(crm, max_executions_per_hour=1, on_limit="coalesce")
    records = [crm.add(name=name) for name in "abcd"]
    for record in records:
        crm.change(record, seen=True)
        crm.round()
    assert len(crm.started) == 1
    assert "on_limit: coalesce" in crm.decision()["reason"]
    crm.make_due()
    start_gathered(crm.database, crm.index)
    assert len(crm.started) == 1, "there is still no room"
    age(crm, 61)
    crm.make_due()
    crm.round()
    _, together = crm.started
    assert (together.data["name"], together.data["count"]) == ("d", 3)
    assert [one["name"] for one in together.data["events"]] == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("Ann@Example.com", "email"),
        ("example.com", "domain"),
        ("+49 (30) 901820", "phone"),
    ],
)
def test_whoever_stands_on_a_list_is_left_alone(crm: Crm, entry: str, what: str) -> None:
    crm.watch("trigger_record_created", settings={"start": {"suppression_lists": ["nobody", "stop"]}})
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [suppressions.entry(entry)])
        suppressions.add(session, crm.tenant, "other", [suppressions.entry("bob@else.org")])
    crm.add(work_email="ann@mail.example.com" if what == "domain" else "ann@example.com", phone="+4930901820")
    crm.round()
    reason = crm.decision()["reason"]
    assert reason == f"its {what} is on suppression list 'stop' (settings.start.suppression_lists)"
    crm.add(email="bob@else.org", phone="12")
    crm.round()
    assert [row.data["email"] for row in crm.started] == ["bob@else.org"]


def test_a_record_on_a_list_is_left_alone(crm: Crm) -> None:
    updated(crm, suppression_lists=["stop"])
    record = crm.add()
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [suppressions.entry(str(record.id))])
    crm.change(record, a=1)
    crm.round()
    assert "its record is on suppression list 'stop'" in crm.decision()["reason"]


def test_data_of_other_events_count_as_well(crm: Crm) -> None:
    crm.watch("trigger_event", event="paid", settings={"start": {"suppression_lists": ["stop"]}})
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [suppressions.entry("ann@example.com")])
    crm.emit("paid", {"email": "ann@example.com"})
    crm.round()
    assert crm.started == []


def suppressing(crm: Crm, type_name: str, **config: object) -> None:
    """Watch for everything but for who stands on the list."""
    crm.watch(type_name, settings={"start": {"suppression_lists": ["stop"]}}, **config)
    entries = [suppressions.entry(one) for one in ("ann@customer.com", "+916307303338")]
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", entries)


def test_what_a_webhook_tells_is_looked_at_with_the_event(crm: Crm) -> None:
    suppressing(crm, "trigger_webhook", path="orders", signature="none")
    with crm.database.tenant(crm.tenant) as session:
        for name in ("ann", "bob"):
            inbox.put(
                session, crm.tenant, "webhook", "orders", {"payload": {"email": f"{name}@customer.com"}}
            )
    crm.round()
    assert [one["watch/start"]["outcome"] for one in crm.decisions] == ["kept_out", "started"]


@pytest.mark.parametrize(
    ("type_name", "payload", "what"),
    [("trigger_email_received", MAIL, "email"), ("trigger_whatsapp_message", WHATSAPP, "phone")],
)
def test_whoever_writes_and_stands_on_a_list_starts_nothing(
    crm: Crm, type_name: str, payload: dict[str, Any], what: str
) -> None:
    suppressing(crm, type_name)
    arrive(crm, payload)
    assert crm.decision()["reason"].startswith(f"its {what} is on suppression list 'stop'")
    assert crm.started == []
