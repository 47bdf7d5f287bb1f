"""wait_delay: how long it waits, and that it goes on then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oneo_operators.nodes.control.wait_delay import WaitDelayConfig, due_at
from tests.nodes.bench import EXAMPLES, Bench, workflow

BERLIN = ZoneInfo("Europe/Berlin")
# A Friday.
BEGAN = datetime(2026, 3, 27, 10, 0, tzinfo=UTC)


def wait(node_id: str = "wait", **config: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "wait_delay", "config": config}


def due(began: datetime = BEGAN, seed: str = "seed", **config: Any) -> datetime:
    return due_at(WaitDelayConfig(**config), began, BERLIN, seed=seed)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"delay_seconds": 90}, "2026-03-27T10:01:30"),
        ({"days": 1}, "2026-03-28T10:00:00"),
        ({"weeks": 1, "days": 1, "hours": 2, "minutes": 3, "delay_seconds": 4}, "2026-04-04T12:03:04"),
        ({"delay_type": "until", "until": "2026-04-01"}, "2026-03-31T22:00:00"),
        ({"delay_type": "until", "until": "2026-04-01T09:00:00Z"}, "2026-04-01T09:00:00"),
        ({"delay_type": "until", "until": "2026-01-01"}, "2025-12-31T23:00:00"),
        # Still to come in Berlin on that day, or past.
        ({"time_of_day": "12:30"}, "2026-03-27T11:30:00"),
        ({"time_of_day": "09:00"}, "2026-03-28T08:00:00"),
        # The night in which the clocks are changed.
        ({"days": 1, "time_of_day": "09:00"}, "2026-03-29T07:00:00"),
        ({"days": 1, "skip_weekends": True}, "2026-03-30T09:00:00"),
        ({"days": 1, "time_of_day": "09:00", "skip_weekends": True}, "2026-03-30T07:00:00"),
        ({"hours": 1, "skip_weekends": True}, "2026-03-27T11:00:00"),
        ({"time_of_day": "09:00", "timezone": "Asia/Kolkata"}, "2026-03-28T08:00:00"),
    ],
)
def test_until_when_it_waits(config, expected):
    assert due(**config).isoformat() == f"{expected}+00:00"


def test_the_example_waits_for_a_random_time_that_stays_the_same():
    config = EXAMPLES["wait_delay"]
    first, again, other = due(**config), due(**config), due(seed="other", **config)
    assert first == again
    assert first != other
    for moment in (first, other):
        assert 240 <= (moment - BEGAN).total_seconds() <= 360
    plain = {**config, "randomize": {**config["randomize"], "enabled": False}}
    assert due(**plain) - BEGAN == timedelta(seconds=300)


def test_it_goes_on_when_the_time_has_come(bench: Bench) -> None:
    show = {"id": "show", "type": "set_variable", "config": {"name": "waited", "value": "{{ nodes.wait }}"}}
    document = workflow(wait(delay_seconds="{{ variables.n / 4 }}"), show, variables={"n": 1})
    report = bench.run(document)
    node = report["nodes"]["wait"]
    assert (report["status"], node["status"], node["attempts"]) == ("success", "success", 1)
    assert node["input"] == {"delay_seconds": 0.25}
    assert node["output"]["waited_seconds"] == 0.25
    assert report["nodes"]["show"]["output"]["waited"] == node["output"]
    assert node["duration_ms"] >= 250


def test_what_has_passed_holds_nothing_up(bench: Bench) -> None:
    report = bench.run(workflow(wait(delay_type="until", until="2020-01-01")))
    assert report["nodes"]["wait"]["output"]["waited_seconds"] == 0


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "say how long"),
        ({"delay_type": "until"}, "has a moment in `until`"),
        ({"delay_type": "until", "until": "2027-01-01", "days": 1}, "no delay beside it"),
        ({"days": 1, "until": "2027-01-01"}, "`until` needs delay_type `until`"),
        ({"days": -1}, "greater than or equal to 0"),
        ({"delay_seconds": 10**10}, "less than or equal to"),
        ({"randomize": {"min_seconds": 2, "max_seconds": 1}}, "swap them"),
        ({"time_of_day": "25:00"}, "no time of day"),
        ({"delay_type": "soon", "days": 1}, "'fixed' or 'until'"),
    ],
)
def test_what_cannot_be_waited_for(bench: Bench, config, problem):
    assert any(problem in one for one in bench.problems("wait_delay", config))


def test_an_expression_that_gives_no_time_fails_the_node(bench: Bench) -> None:
    report = bench.run(workflow(wait(delay_seconds="{{ 'soon' }}")))
    assert "config.delay_seconds" in report["error"]["message"]
