"""Events that start one execution together: batches, and changes that come in quick succession."""

from __future__ import annotations

from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.waiting import start_gathered
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
