"""Which triggers are asked about an event: all that could fit, and no others whose filter names a value."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from oneo.filters import matches, parse
from oneo_app.dispatcher.fitting import Fitting
from oneo_app.dispatcher.trigger_index import ALL_ASKED
from tests.dispatcher.crm import Crm

VALUES = some.none() | some.booleans() | some.integers(-2, 2) | some.sampled_from([0.5, 1.0, "", "1", "a"])
FIELDS = some.sampled_from(["a", "b", "c.d", "c.0"])
NUMBERS = some.integers(-2, 2) | some.sampled_from([0.5, 1.0])
CLAUSES = (
    VALUES
    | some.fixed_dictionaries({"$in": some.lists(VALUES, max_size=3)})
    | some.dictionaries(
        some.sampled_from(["$gt", "$gte", "$lt", "$lte"]), NUMBERS | some.just("a"), min_size=1
    )
    | some.just({"$exists": True})
)
NESTED = VALUES | some.lists(VALUES, max_size=2) | some.dictionaries(some.sampled_from("d0"), VALUES)
RECORDS = some.dictionaries(some.sampled_from(["a", "b", "c"]), NESTED)


@given(some.lists(some.dictionaries(FIELDS, CLAUSES, max_size=2), max_size=8), RECORDS)
def test_whoever_fits_is_asked(filters: list[dict[str, Any]], record: dict[str, Any]) -> None:
    clauses = [parse(one) for one in filters]
    asked = list(Fitting(enumerate(clauses)).fitting(record))
    fitting = [number for number, one in enumerate(clauses) if matches(one, record) is None]
    assert [number for number in asked if number in fitting] == fitting
    assert asked == sorted(set(asked))


def test_among_many_those_that_ask_for_another_value_leave_no_trace(crm: Crm) -> None:
    for number in range(ALL_ASKED):
        crm.watch("trigger_record_created", f"w{number}", field_filters={"city": f"c{number}"})
    crm.watch("trigger_record_created", "span", field_filters={"score": {"$gte": 5, "$lt": 8}})
    crm.watch("trigger_record_created", "all")
    crm.add(city="c7", score=7)
    crm.round()
    assert sorted(crm.decisions[-1]) == ["all/start", "span/start", "w7/start"]
    assert sorted(row.workflow_id for row in crm.started) == ["all", "span", "w7"]


def test_among_few_each_refusal_is_noted(crm: Crm) -> None:
    crm.watch("trigger_pipeline_stage_changed", "won", to_stages=["won"])
    crm.watch("trigger_pipeline_stage_changed", "lost", to_stages=["lost", "gone"])
    crm.change(crm.add(stage="new"), stage="gone")
    crm.round()
    assert [row.workflow_id for row in crm.started] == ["lost"]
    assert crm.decision("won")["reason"] == "the stage went from 'new' to 'gone', and it has to come to 'won'"
