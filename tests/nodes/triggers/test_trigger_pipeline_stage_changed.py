"""trigger_pipeline_stage_changed: which ways from stage to stage start a workflow."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.catalogue import Watch
from oneo_operators.nodes.triggers.trigger_pipeline_stage_changed import TriggerPipelineStageChangedOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_pipeline_stage_changed"]
TYPE = "trigger_pipeline_stage_changed"
STAGES = [{"id": name} for name in ("new", "qualified", "proposal", "negotiation", "won")]


def moved(crm: Crm, before: str | None, after: str | None, **config: Any) -> bool:
    crm.pipeline("sales", stages=STAGES)
    crm.watch(TYPE, **config)
    crm.change(crm.add("sales", stage=before), stage=after)
    crm.round()
    return bool(crm.started)


def test_the_example(bench: Bench, crm: Crm) -> None:
    assert TriggerPipelineStageChangedOperator.watch(EXAMPLE) == Watch(("updated",), ("sales",))
    assert bench.problems(TYPE, EXAMPLE) == []
    assert moved(crm, "qualified", "proposal", **EXAMPLE)
    (row,) = crm.started
    assert (row.data["from_stage"], row.data["to_stage"], row.data["before"]["stage"]) == (
        "qualified",
        "proposal",
        "qualified",
    )


@pytest.mark.parametrize(
    ("before", "after", "config", "starts"),
    [
        ("new", "won", {}, True),
        (None, "new", {}, True),
        ("won", None, {}, True),
        ("new", "proposal", {"from_stages": ["qualified"]}, False),
        ("qualified", "won", {"to_stages": ["proposal"]}, False),
        ("proposal", "qualified", {"direction": "backward"}, True),
        ("proposal", "qualified", {"direction": "forward"}, False),
        (None, "new", {"direction": "forward"}, True),
        ("new", None, {"direction": "backward"}, True),
        ("new", "lost", {"direction": "forward"}, False),
        ("new", "lost", {"direction": "any"}, True),
        ("new", "won", {"pipeline_id": "leads"}, False),
        ("new", "won", {"field_filters": {"amount": {"$gte": 1}}}, False),
    ],
)
def test_ways_that_count(
    crm: Crm, before: str | None, after: str | None, config: dict[str, Any], starts: bool
) -> None:
    assert moved(crm, before, after, **config) is starts


def test_another_change_is_none_of_the_stage(crm: Crm) -> None:
    crm.watch(TYPE)
    crm.change(crm.add(stage="new"), amount=1)
    crm.round()
    assert crm.decision()["reason"] == "only 'amount' changed, not the stage"


def test_the_order_is_the_one_that_the_pipeline_has_then(crm: Crm) -> None:
    crm.pipeline("sales", stages=STAGES)
    crm.watch(TYPE, direction="forward")
    deal = crm.add("sales", stage="won")
    crm.pipeline("sales", stages=STAGES[::-1])
    crm.change(deal, stage="new")
    crm.round()
    assert len(crm.started) == 1
    crm.change(deal, stage="won")
    crm.round()
    assert crm.decision()["reason"] == "the stage went from 'new' to 'won', which is backward, not forward"


def test_where_there_is_no_way_the_reason_shows_the_stages(crm: Crm) -> None:
    moved(crm, "new", "lost", direction="forward")
    assert "no way in pipeline 'sales' ('new', 'qualified'" in crm.decision()["reason"]
