"""`oneo events`: what happened, what was decided, and what is done once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from oneo.store import executions
from tests.dispatcher.crm import Crm

Command = Callable[..., Any]


def set_aside(crm: Crm) -> int:
    """An event whose data nobody can read, and that was good again afterwards."""
    record = crm.add(score=1)
    with crm.database.system() as session:
        row = session.execute(
            text(
                "UPDATE record_events SET handled_at = now(), problem = 'unreadable'"
                " WHERE tenant_id = :t AND record_id = :r RETURNING id"
            ),
            {"t": crm.tenant, "r": record.id},
        )
        return int(row.scalar_one())


def test_the_list_says_what_was_decided(crm: Crm, command: Command):
    crm.watch("trigger_record_created", field_filters={"score": {"$gte": 50}})
    low, high = crm.add(score=1), crm.add(score=90)
    crm.emit("won", {"by": "Ann"})
    crm.round()
    crm.emit("later")
    assert [one["topic"] for one in command("events", "list", "--waiting")] == ["later"]
    assert [one["kind"] for one in command("events", "list", "--limit", "2")] == ["app", "app"]
    listed = command("events", "list", "--workflow", "watch")
    assert [one["record_id"] for one in listed] == [str(high.id), str(low.id)]
    assert [one["decisions"]["watch/start"]["outcome"] for one in listed] == ["started", "refused"]
    assert command("events", "list", "--workflow", "wat") == []
    (about,) = command("events", "list", "--record", str(low.id), "--kind", "created")
    assert "watch/start: refused" in command("events", "list", "--record", str(low.id), code=0)
    shown = command("events", "show", str(about["event"]))
    assert shown["data"]["score"] == 1
    assert "score $gte 50" in shown["decisions"][0]["reason"]
    assert "score $gte 50" in command("events", "show", str(about["event"]), code=0)


def test_a_shown_event_tells_what_became_of_its_execution(crm: Crm, command: Command):
    crm.watch("trigger_record_created")
    crm.watch("trigger_record_created", "batch", batch_processing=True)
    crm.add()
    crm.round()
    with crm.database.system() as session:
        row = executions.get_for_update(session, crm.tenant, crm.started[0].id)
        executions.postpone(session, row, 60, "the quota is used up")
    (one,) = command("events", "list", "--problem")
    assert one["not_started"][0]["note"] == "the quota is used up"
    shown = command("events", "show", str(one["event"]))
    became = {each["trigger"]: each["became"] for each in shown["decisions"]}
    assert (became["watch/start"]["status"], became["watch/start"]["note"]) == (
        "pending",
        "the quota is used up",
    )
    assert became["batch/start"]["status"] == "gathering"
    assert "watch did not start: the quota is used up" in command("events", "list", "--problem", code=0)


def test_an_event_that_was_set_aside_goes_back_into_the_queue(crm: Crm, command: Command):
    crm.watch("trigger_record_created")
    event = set_aside(crm)
    assert [one["event"] for one in command("events", "list", "--problem")] == [event]
    assert "without --workflow" in command("events", "replay", str(event), "--workflow", "watch", code=1)
    assert command("events", "replay", str(event))["state"] == "waiting"
    crm.round()
    assert [row.event_id for row in crm.started] == [event]
    assert command("events", "list", "--problem") == []


def test_a_handled_event_is_shown_to_the_triggers_as_they_are_now(crm: Crm, command: Command):
    crm.watch("trigger_record_created", field_filters={"score": {"$gte": 50}})
    crm.watch("trigger_record_created", "other")
    crm.add(score=1)
    crm.round()
    (event,) = {row.event_id for row in crm.started}
    crm.watch("trigger_record_created", field_filters={"score": {"$gte": 1}})
    decided = command("events", "replay", str(event))["decisions"]
    assert {name: one["outcome"] for name, one in decided.items()} == {
        "watch/start": "started",
        "other/start": "known",
    }
    again = command("events", "replay", str(event), "--workflow", "watch")["decisions"]
    assert {name: one["outcome"] for name, one in again.items()} == {"watch/start": "known"}
    assert len(crm.started) == 2
    assert "oneo explain" in command("events", "replay", str(event), "--workflow", "none", code=1)


def test_replayed_events_of_a_batch_start_nothing_twice(crm: Crm, command: Command):
    crm.watch("trigger_record_created", batch_processing=True, batch_seconds=3600)
    crm.add(), crm.add()
    crm.round()
    first, second = sorted(one["event"] for one in command("events", "list"))
    # Still gathered: it is counted once.
    assert command("events", "replay", str(second))["decisions"]["watch/start"]["outcome"] == "gathered"
    crm.make_due()
    crm.round()
    assert [row.data["count"] for row in crm.started] == [2]
    for event in (first, second):
        assert command("events", "replay", str(event))["decisions"]["watch/start"]["outcome"] == "known"
    crm.make_due()
    crm.round()
    assert len(crm.started) == 1


def test_again_is_a_new_event_and_asks_first(crm: Crm, command: Command):
    crm.watch("trigger_record_updated", specific_fields=["score"])
    crm.watch("trigger_event", "told", event="won", filters={"amount": 5})
    crm.change(crm.add(score=1), score=2)
    crm.emit("won", {"amount": 5}, key="k")
    crm.round()
    for event in [row.event_id for row in crm.started]:
        assert "--yes" in command("events", "replay", str(event), "--again", code=1)
        copy = command("events", "replay", str(event), "--again", "--yes")
        assert copy == {"event": copy["event"], "replayed_from": event}
    crm.round()
    first, emitted, copied, emitted_again = crm.started
    assert copied.data["replayed_from"] == first.event_id
    assert (copied.data["before"]["score"], copied.data["score"], copied.data["changed"]) == (1, 2, ["score"])
    assert (emitted_again.data["amount"], emitted_again.data["replayed_from"]) == (5, emitted.event_id)


def test_an_event_is_emitted_once_for_each_key(crm: Crm, command: Command):
    crm.watch("trigger_event", event="won")
    sent = [command("events", "emit", "won", "--data", '{"amount": 7}', "--key", "k") for _ in range(2)]
    assert [one["accepted"] for one in sent] == [True, False]
    crm.round()
    assert [row.data["amount"] for row in crm.started] == [7]
    assert "no name of an event" in command("events", "emit", "no name", code=1)
    assert "JSON" in command("events", "emit", "won", "--data", "[1]", code=1)


def test_what_there_is_not_is_said(crm: Crm, command: Command):
    assert "there is no event 999999999" in command("events", "show", "999999999", code=1)
    assert "there is no event 999999999" in command("events", "replay", "999999999", code=1)
    assert "no record id" in command("events", "list", "--record", "x", code=1)
    event = crm.emit("won")
    assert "has not been handled yet" in command("events", "replay", str(event), code=1)
