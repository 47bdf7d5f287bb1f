"""What is noted about each event and trigger, and workflows that would start each other for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oneo.store import executions
from oneo.store.models import Record
from oneo.store.records import Changes, update
from tests.dispatcher.crm import Crm


def test_the_deciding_condition_is_kept(crm: Crm):
    crm.watch("trigger_record_created", field_filters={"score": {"$gte": 50}})
    crm.add(score=10)
    crm.round()
    refused = crm.decision()
    crm.add(score=90)
    crm.round()
    assert refused["outcome"] == "refused"
    assert "score $gte 50" in refused["reason"]
    assert crm.decision() == {"outcome": "started", "execution": str(crm.started[0].id)}


def test_who_does_not_look_at_an_event_is_not_asked(crm: Crm):
    crm.pipeline("deals")
    crm.watch("trigger_record_created", "new", pipeline_ids=["deals"])
    crm.watch("trigger_event", "told", event="won")
    crm.add()
    crm.emit("lost")
    crm.round()
    assert crm.decisions == [{}, {}]


def test_a_trigger_whose_config_cannot_be_read_does_not_stop_the_others(crm: Crm):
    crm.watch("trigger_record_created", "good")
    crm.watch("trigger_record_created", "bad")
    with crm.database.tenant(crm.tenant) as session:
        session.connection().exec_driver_sql(
            "UPDATE active_triggers SET config = '{\"nonsense\": 1}' WHERE workflow_id = 'bad'"
        )
    crm.add()
    crm.round()
    assert [row.workflow_id for row in crm.started] == ["good"]
    assert "its config cannot be read" in crm.decision("bad")["reason"]


def change_for(crm: Crm, execution: executions.Execution, record: Record, **data: object) -> None:
    """What a node of an execution would do."""
    with crm.database.tenant(crm.tenant, execution_id=execution.id) as session:
        update(session, session.get_one(Record, (crm.tenant, record.id)), Changes(set=data))


def test_workflows_that_start_each_other_stop_with_the_chain_shown(crm: Crm):
    crm.watch(
        "trigger_record_updated", "a", specific_fields=["a"], settings={"start": {"max_chain_depth": 3}}
    )
    crm.watch("trigger_record_updated", "b", specific_fields=["b"])
    record = crm.add()
    crm.change(record, a=0)
    crm.round()
    for turn in range(1, 10):
        newest = crm.started[-1]
        change_for(crm, newest, record, **{"b" if newest.workflow_id == "a" else "a": turn})
        crm.round()
    assert [row.workflow_id for row in crm.started] == ["a", "b", "a", "b"]
    (stopped,) = {
        str(one.get("a/start")) for one in crm.decisions if one.get("a/start", {}).get("outcome") == "stopped"
    }
    assert "a → b → a → b → a" in stopped
    assert "at most 3 may (settings.start.max_chain_depth)" in stopped


def reminded(crm: Crm, days: float, count: int = 6) -> int:
    """How often a workflow starts whose executions put the date off that they wait for."""
    settings = {"start": {"max_chain_depth": 3}}
    crm.watch("trigger_date_reached", "remind", date_field="due", settings=settings)
    now = datetime.now(UTC)
    record = crm.add(due=(now - timedelta(hours=1)).isoformat())
    crm.round(now)
    for turn in range(1, count):
        moment = now + timedelta(days=days, seconds=turn)
        change_for(crm, crm.started[-1], record, due=moment.isoformat())
        crm.round(moment)
    return len(crm.started)


def test_a_workflow_that_makes_its_own_date_due_at_once_stops_with_the_chain_shown(crm: Crm):
    assert reminded(crm, days=-0.5) == 3
    assert "remind → remind → remind → remind" in crm.decision("remind")["reason"]


def test_a_workflow_that_puts_its_date_off_goes_on(crm: Crm):
    assert reminded(crm, days=7) == 6


def test_what_people_do_is_no_chain(crm: Crm):
    crm.watch("trigger_record_updated", "a", settings={"start": {"max_chain_depth": 1}})
    record = crm.add()
    for turn in range(5):
        crm.change(record, turn=turn)
        crm.round()
    assert len(crm.started) == 5
    assert {len(row.chain) for row in crm.started} == {0}
