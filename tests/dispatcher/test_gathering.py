"""Events that start one execution together: batches, and changes that come in quick succession."""

from __future__ import annotations

import pytest

from oneo.store import event_log, executions, inbox, suppressions
from oneo.store.models import Execution
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.turns import has_turn
from oneo_app.dispatcher.waiting import start_gathered
from oneo_app.replaying import look_again
from tests.dispatcher.crm import Crm


def test_a_batch_starts_when_its_time_has_come(crm: Crm):
    crm.watch("trigger_record_created", batch_processing=True, batch_seconds=3600)
    for number in range(3):
        crm.add(number=number)
        crm.round()
    assert crm.started == []
    assert crm.decision()["outcome"] == "gathered"
    assert "the first is 3600 s old or they are 100" in crm.decision()["reason"]
    crm.make_due()
    crm.round()
    (row,) = crm.started
    assert (row.data["count"], [one["number"] for one in row.data["records"]]) == (3, [0, 1, 2])
    assert {str(row.id)} == {one["watch/start"]["execution"] for one in crm.decisions}


def test_a_full_batch_starts_at_once_and_the_next_begins(crm: Crm):
    crm.watch("trigger_record_created", batch_processing=True, batch_size=2, batch_seconds=3600)
    for number in range(5):
        crm.add(number=number)
        crm.round()
    assert [row.data["count"] for row in crm.started] == [2, 2]
    crm.make_due()
    crm.round()
    assert [one["number"] for row in crm.started for one in row.data["records"]] == [0, 1, 2, 3, 4]


def test_a_batch_of_one_round_is_started_by_any_dispatcher(crm: Crm):
    crm.watch("trigger_record_created", batch_processing=True, batch_seconds=0)
    crm.add(number=1)
    match_events(crm.database)
    assert start_gathered(crm.database, TriggerIndex()) == 1
    assert [row.data["count"] for row in crm.started] == [1]


def test_changes_in_quick_succession_are_one_change_of_each_record(crm: Crm):
    crm.watch("trigger_record_updated", debounce_seconds=5)
    ann, ben = crm.add(name="Ann", score=1), crm.add(name="Ben", score=1)
    for score in (2, 3, 4):
        crm.change(ann, score=score)
        crm.round()
    crm.change(ann, city="Rome")
    crm.change(ben, score=9)
    crm.round()
    assert crm.started == []
    crm.make_due()
    crm.round()
    by_record = {row.record_id: row.data for row in crm.started}
    assert len(crm.started) == 2
    assert by_record[ben.id]["score"] == 9
    of_ann = by_record[ann.id]
    assert (of_ann["before"]["score"], of_ann["score"], of_ann["city"]) == (1, 4, "Rome")
    assert (of_ann["changed"], of_ann["count"]) == (["score", "city"], 4)


def test_gathered_events_of_a_withdrawn_workflow_start_nothing(crm: Crm):
    crm.watch("trigger_record_created", batch_processing=True)
    crm.add()
    crm.round()
    crm.withdraw()
    crm.make_due()
    crm.round()
    assert crm.started == []


def test_a_workflow_published_meanwhile_takes_the_batch_over(crm: Crm):
    crm.watch("trigger_record_created", batch_processing=True)
    crm.add(number=1)
    crm.round()
    crm.watch("trigger_record_created", batch_processing=True, batch_size=50)
    crm.make_due()
    crm.round()
    assert [(row.version, row.data["count"]) for row in crm.started] == [(2, 1)]


def listed(crm: Crm, *values: str) -> None:
    with crm.database.tenant(crm.tenant) as session:
        suppressions.add(session, crm.tenant, "stop", [suppressions.entry(value) for value in values])


def names(crm: Crm) -> list[list[str]]:
    """Of each execution, the names of its records."""
    return [[one["name"] for one in row.data["records"]] for row in crm.started]


def outcomes(crm: Crm) -> list[str]:
    return [one["watch/start"]["outcome"] for one in crm.decisions if one]


def batches(crm: Crm, type_name: str = "trigger_record_created", **start: object) -> None:
    crm.watch(type_name, batch_processing=True, batch_seconds=3600, settings={"start": start})


def gather(crm: Crm) -> None:
    """Let what is gathered start."""
    crm.round()
    crm.make_due()
    crm.round()


def test_whoever_is_put_on_a_list_meanwhile_is_left_out_of_the_batch(crm: Crm):
    batches(crm, suppression_lists=["stop"])
    ann, *_ = (crm.add(name=name, email=f"{name}@example.com") for name in ("ann", "ben", "eve"))
    crm.round()
    listed(crm, "ann@example.com", "eve@example.com")
    crm.make_due()
    crm.round()
    assert names(crm) == [["ben"]]
    (row,) = crm.started
    assert (row.data["count"], row.record_id) == (1, row.record_ids[0])
    assert outcomes(crm) == ["kept_out", "gathered", "kept_out"]
    first, second, _ = (one["watch/start"] for one in crm.decisions if one)
    assert first["reason"] == (
        "its email is on suppression list 'stop' (settings.start.suppression_lists); "
        f"execution {row.id} started without it"
    )
    assert second == {
        "outcome": "gathered",
        "reason": "2 of 3 events were left out",
        "execution": str(row.id),
    }
    with crm.database.tenant(crm.tenant) as session:
        suppressions.remove(session, crm.tenant, "stop", [suppressions.entry("ann@example.com")])
        (event,) = event_log.recent(session, record_id=ann.id)
    look_again(crm.database, crm.tenant, event.id)
    crm.make_due()
    crm.round()
    assert names(crm) == [["ben"], ["ann"]], "looked at once more, the first has an execution of its own"


def test_a_batch_of_which_nobody_is_left_does_not_start(crm: Crm):
    batches(crm, suppression_lists=["stop"])
    for name in ("ann", "ben"):
        crm.add(name=name, email=f"{name}@example.com")
    crm.round()
    listed(crm, "example.com")
    crm.make_due()
    crm.round()
    assert (crm.started, outcomes(crm)) == ([], ["kept_out", "kept_out"])


@pytest.mark.parametrize("often", ["once", "once_until_done"])
def test_each_record_of_a_batch_is_enrolled(crm: Crm, often: str):
    batches(crm, "trigger_record_updated", enrollment=often)
    ann, ben, eve = (crm.add(name=name) for name in ("ann", "ben", "eve"))
    for record in (ann, ben):
        crm.change(record, turn=1)
    gather(crm)
    for record in (ann, ben, eve):
        crm.change(record, turn=2)
    gather(crm)
    assert names(crm) == [["ann", "ben"], ["eve"]]
    assert outcomes(crm) == ["gathered", "gathered", "kept_out", "kept_out", "gathered"]


def test_who_is_put_on_a_list_while_a_batch_is_queued_is_left_out_when_it_is_due(crm: Crm):
    batches(crm, suppression_lists=["stop"])
    for name in ("ann", "ben"):
        crm.add(name=name, email=f"{name}@example.com")
    gather(crm)
    (queued,) = crm.started
    listed(crm, "ann@example.com")
    assert due(crm, queued) is True
    assert names(crm) == [["ben"]]
    listed(crm, "ben@example.com")
    assert due(crm, queued) is False
    assert crm.started[0].status == "cancelled"


def due(crm: Crm, row: Execution) -> bool:
    with crm.database.system() as session:
        return has_turn(session, executions.get_for_update(session, crm.tenant, row.id))


def test_ends_of_workflows_that_are_waited_for_together_start_all_or_nothing(crm: Crm):
    crm.watch(
        "trigger_workflow_completed",
        source_workflow_ids=["a", "b"],
        merge_outputs=True,
        settings={"start": {"suppression_lists": ["stop"]}},
    )
    record = crm.add(email="ann@example.com")
    data = {"status": "success", "output": {}, "execution_id": "x"}
    with crm.database.tenant(crm.tenant) as session:
        for workflow, email in (("a", "ann@example.com"), ("b", "ben@example.com")):
            ended = {**data, "workflow_id": workflow, "email": email}
            inbox.put(session, crm.tenant, "workflow", workflow, ended, record_id=record.id)
    match_events(crm.database, crm.index)
    listed(crm, "ann@example.com")
    crm.make_due()
    crm.round()
    assert crm.started == []
    assert outcomes(crm)[-2:] == ["kept_out", "kept_out"]
