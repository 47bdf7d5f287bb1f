"""trigger_condition_met: conditions on records and metrics that come to hold, for as long as they must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dag_factory.catalogue import Watch
from oneo_operators.nodes.triggers.trigger_condition_met import TriggerConditionMetOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_condition_met"]
HOT = {"field": "temperature", "operator": "gt", "value": 100}
OPEN = {"field": "door", "operator": "eq", "value": "open"}
MANY = {"field": "stage", "operator": "in", "value": ["won", "lost"]}


def later(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def lasting(condition: dict[str, Any], minutes: float) -> dict[str, Any]:
    return {**condition, "duration_minutes": minutes}


def test_the_example_with_a_record(bench: Bench, crm: Crm) -> None:
    assert bench.problems("trigger_condition_met", EXAMPLE) == []
    kinds = ("created", "updated", "deleted", "restored", "metric")
    assert TriggerConditionMetOperator.watch(EXAMPLE) == Watch(kinds, ("*",))
    crm.watch("trigger_condition_met", **EXAMPLE)
    record = crm.add(name="Boiler", temperature=90)
    crm.change(record, temperature=101)
    crm.round()
    assert crm.decision()["outcome"] == "armed"
    crm.change(record, temperature=120)
    crm.round(later(4))
    assert crm.started == []
    crm.round(later(7))
    (row,) = crm.started
    assert (row.record_id, row.data["name"], row.data["event"]) == (record.id, "Boiler", "condition_met")
    told = {"field": "temperature", "operator": "gt", "value": 100, "actual": 120, "duration_minutes": 5.0}
    assert row.data["conditions"] == [told]
    crm.change(record, temperature=130)
    crm.round(later(60))
    assert len(crm.started) == 1


def test_the_example_with_metrics(crm: Crm) -> None:
    crm.watch("trigger_condition_met", **EXAMPLE)
    crm.push("boiler-7", temperature=101, door="shut")
    crm.push("boiler-8", temperature=99)
    crm.round()
    crm.push("boiler-7", door="open")
    crm.round(later(4))
    assert crm.started == []
    crm.round(later(7))
    (row,) = crm.started
    assert (row.data["series"], row.data["temperature"], row.data["door"]) == ("boiler-7", 101, "open")
    crm.round(later(60))
    assert len(crm.started) == 1


def test_a_value_that_falls_in_between_starts_again_from_the_beginning(crm: Crm) -> None:
    crm.watch("trigger_condition_met", **EXAMPLE)
    record = crm.add(temperature=101)
    crm.round()
    crm.change(record, temperature=99)
    crm.round()
    assert crm.decision() == {"outcome": "disarmed", "reason": "temperature $gt 100 does not hold"}
    crm.round(later(30))
    assert crm.started == []
    crm.change(record, temperature=101)
    crm.round(later(4))
    crm.round(later(7))
    assert len(crm.started) == 1


def test_a_fall_that_waits_in_the_queue_counts_when_the_moment_comes(crm: Crm) -> None:
    crm.watch("trigger_condition_met", **EXAMPLE)
    record = crm.add(temperature=101)
    crm.push(temperature=101)
    crm.round()
    with crm.database.system() as session:
        # As if it had come to hold two minutes earlier.
        session.connection().exec_driver_sql(
            "UPDATE timers SET due_at = due_at - interval '2 min' WHERE tenant_id = %s", (crm.tenant,)
        )
    for value in (99, 101):
        crm.change(record, temperature=value)
        crm.push(temperature=value)
    # The dispatcher was down meanwhile: all that happened stands in the queue.
    crm.round(later(4.5))
    assert crm.started == []
    crm.round(later(7))
    assert len(crm.started) == 2


@pytest.mark.parametrize(
    ("config", "changes", "starts"),
    [
        ([HOT], [{"temperature": 101}], 1),
        ([HOT], [{"temperature": 101}, {"temperature": 102}], 1),
        ([HOT], [{"temperature": 101}, {"temperature": 1}, {"temperature": 101}], 2),
        ([HOT], [{"temperature": 100}], 0),
        ([HOT], [{"temperature": "hot"}], 0),
        ([HOT, OPEN], [{"temperature": 101}], 0),
        ([HOT, OPEN], [{"temperature": 101}, {"door": "open"}, {"note": 1}], 1),
        ([HOT, OPEN], [{"temperature": 101, "door": "open"}, {"door": "shut"}, {"door": "open"}], 2),
        ([MANY], [{"stage": "won"}, {"stage": "lost"}], 1),
        ([{"field": "owner", "operator": "changed"}], [{"owner": "ann"}, {"note": 1}, {"owner": "ben"}], 2),
        (
            [{"field": "owner", "operator": "changed"}, HOT],
            [{"owner": "a"}, {"temperature": 101}, {"owner": "b"}],
            1,
        ),
        (
            [{"field": "tags", "operator": "contains", "value": "vip"}],
            [{"tags": ["x"]}, {"tags": ["x", "vip"]}],
            1,
        ),
        ([{"field": "a.b", "operator": "gte", "value": 2}], [{"a": {"b": 1}}, {"a": {"b": 2}}], 1),
        (
            [{"field": "status", "operator": "ne", "value": "open"}],
            [{"status": "won"}, {"status": "open"}],
            1,
        ),
    ],
)
def test_conditions_without_a_duration(
    crm: Crm, config: list[dict[str, Any]], changes: list[dict[str, Any]], starts: int
) -> None:
    crm.watch("trigger_condition_met", conditions=config)
    record = crm.add(status="open")
    for change in changes:
        crm.change(record, **change)
        crm.round()
    assert len(crm.started) == starts


def test_each_condition_lasts_as_long_as_it_must(crm: Crm) -> None:
    crm.watch("trigger_condition_met", conditions=[lasting(HOT, 60), lasting(OPEN, 5)])
    record = crm.add(temperature=101)
    crm.round()
    crm.change(record, door="open")
    crm.round(later(7))
    assert crm.started == []
    crm.change(record, door="shut")
    crm.change(record, door="open")
    crm.round(later(50))
    assert crm.started == []
    crm.round(later(62))
    assert [len(row.data["conditions"]) for row in crm.started] == [2]


def test_what_has_lasted_long_enough_waits_for_the_others(crm: Crm) -> None:
    crm.watch("trigger_condition_met", conditions=[lasting(HOT, 10), OPEN])
    record = crm.add(temperature=101, door="shut")
    crm.round()
    crm.round(later(12))
    assert crm.started == []
    assert crm.decision() == {"outcome": "refused", "reason": "door $eq 'open' does not hold any more"}
    crm.change(record, door="open")
    crm.round()
    assert len(crm.started) == 1


def test_an_instant_condition_does_not_hurry_a_lasting_one(crm: Crm) -> None:
    crm.watch("trigger_condition_met", conditions=[lasting(HOT, 10), OPEN])
    record = crm.add(temperature=101)
    crm.round()
    for door in ("open", "shut", "open"):
        crm.change(record, door=door)
        crm.round()
    assert crm.started == []
    crm.round(later(12))
    assert len(crm.started) == 1


def test_any_of_them_each_by_itself(crm: Crm) -> None:
    crm.watch(
        "trigger_condition_met", conditions=[lasting(HOT, 10), lasting(OPEN, 5), MANY], require_all=False
    )
    record = crm.add(temperature=101, door="open", stage="won")
    crm.round()
    assert [[one["field"] for one in row.data["conditions"]] for row in crm.started] == [["stage"]]
    crm.change(record, temperature=1)
    crm.round(later(7))
    crm.round(later(60))
    assert [[one["field"] for one in row.data["conditions"]] for row in crm.started] == [["stage"], ["door"]]


def test_a_deleted_record_meets_nothing(crm: Crm) -> None:
    missing = {"field": "owner", "operator": "exists", "value": False}
    crm.watch("trigger_condition_met", conditions=[lasting(missing, 5)])
    record = crm.add()
    crm.round()
    crm.delete(record)
    crm.round()
    assert crm.decision() == {"outcome": "disarmed", "reason": "the record was deleted"}
    crm.round(later(60))
    assert crm.started == []
    crm.restore(record)
    crm.round()
    crm.round(later(7))
    assert len(crm.started) == 1


def test_what_held_before_the_workflow_was_published_is_nothing_new(crm: Crm) -> None:
    record = crm.add(temperature=101)
    crm.round()
    crm.watch("trigger_condition_met", conditions=[HOT])
    crm.change(record, note="seen")
    crm.round()
    assert crm.decision() == {"outcome": "refused", "reason": "temperature $gt 100 held before"}


def test_only_the_pipelines_and_series_that_are_named(crm: Crm) -> None:
    crm.pipeline("deals")
    crm.watch("trigger_condition_met", "deals", conditions=[HOT], pipeline_ids=["deals"])
    crm.watch("trigger_condition_met", "seven", conditions=[HOT], series=["boiler-7"])
    crm.watch("trigger_condition_met", "both", conditions=[HOT], series=["boiler-8"], pipeline_ids=["leads"])
    for pipeline in ("leads", "deals"):
        crm.add(pipeline, temperature=101)
    for series in ("boiler-7", "boiler-8"):
        crm.push(series, temperature=101)
    crm.round()
    assert sorted(row.workflow_id for row in crm.started) == ["both", "both", "deals", "seven"]


def test_how_often_it_is_looked(crm: Crm) -> None:
    crm.watch("trigger_condition_met", conditions=[lasting(HOT, 1)], evaluation_frequency="2h")
    crm.add(temperature=101)
    crm.round()
    moment = datetime.fromisoformat(crm.decision()["reason"].rpartition(" ")[2])
    assert (moment.hour % 2, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    crm.round(moment)
    assert len(crm.started) == 1


def test_values_count_from_when_they_were_measured(crm: Crm) -> None:
    crm.watch("trigger_condition_met", conditions=[lasting(HOT, 5)])
    crm.push(temperature=101, at=later(-10))
    crm.round()
    assert len(crm.started) == 1
    assert crm.push(temperature=1, at=later(-20)) is None
    crm.push(temperature=102)
    crm.round(later(60))
    assert len(crm.started) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "option 'conditions' of trigger_condition_met is missing"),
        ({"conditions": []}, "at least 1 item"),
        ({"conditions": [{**HOT, "operator": "above"}]}, "'gt'"),
        ({"conditions": [{**HOT, "value": [1]}]}, "$gt needs a number or a text, got list"),
        ({"conditions": [{**HOT, "field": "$x"}]}, "field '$x' is not a field name"),
        (
            {"conditions": [{"field": "x", "operator": "changed", "duration_minutes": 1}]},
            "lasts no duration_minutes",
        ),
        (
            {"conditions": [{"field": "x", "operator": "changed"}, lasting(HOT, 1)]},
            "cannot hold together with conditions that need duration_minutes",
        ),
        (
            {"conditions": [HOT], "evaluation_frequency": "often"},
            "'often' is no span of time; write a number and s",
        ),
    ],
)
def test_what_cannot_be_met(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in "\n".join(bench.problems("trigger_condition_met", config))
