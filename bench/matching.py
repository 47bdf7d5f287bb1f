"""What it costs to find and ask the triggers that an event may concern, among a thousand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bench.measure import Measurement
from oneo.events import Event
from oneo.store.models import ActiveTrigger
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_operators.catalogue import catalogue

TENANT = "bench"
TRIGGERS = 1000
ROUNDS = 300


def measure_matching(say: Callable[[str], None]) -> Iterator[Measurement]:
    """One event against 1,000 active triggers, as a tenant has them, and all on one pipeline."""
    say("one event against 1,000 triggers")
    for name, config_of in (
        ("of mixed kinds on 20 pipelines", _mixed),
        ("on one pipeline, each for another value", _by_value),
        ("on one pipeline, each for another span", _by_span),
    ):
        millis, asked = _match([config_of(number) for number in range(TRIGGERS)])
        detail = f"{asked} asked"
        yield Measurement(f"an event against 1,000 triggers {name}", millis, 1, " ms", detail)


def _match(triggers: list[tuple[str, Mapping[str, Any]]]) -> tuple[float, int]:
    """Milliseconds per event, and how many triggers were asked about one."""
    index = TriggerIndex()
    index.take_up([_row(number, *one) for number, one in enumerate(triggers)])
    events = [_event(number) for number in range(ROUNDS)]
    times, asked = [], 0
    for event in events:
        start = time.perf_counter()
        verdicts = [trigger.consider(event) for trigger in index.looking_at(event)]
        times.append(time.perf_counter() - start)
        asked += len(verdicts)
    return statistics.median(times) * 1000, asked // ROUNDS


def _row(number: int, type_name: str, config: Mapping[str, Any]) -> ActiveTrigger:
    node_type = catalogue().get(type_name)
    watch = node_type.watch(config) if node_type else None
    assert watch is not None
    return ActiveTrigger(
        tenant_id=TENANT,
        workflow_id=f"w{number:04}",
        node_id="start",
        type=type_name,
        version=1,
        event_kinds=list(watch.kinds),
        topics=list(watch.topics),
        config=dict(config),
        policy={},
    )


def _event(number: int) -> Event:
    before = {"id": str(uuid4()), "pipeline_id": "p1", "stage": "s1", "city": "c0", "score": 1}
    after = {**before, "stage": f"s{number % 9}", "city": f"c{number}", "score": number}
    return Event(
        id=number + 1,
        tenant_id=TENANT,
        kind="updated",
        topic="p1",
        at=datetime.now(UTC),
        record_id=uuid4(),
        record=after,
        before=before,
        changed=("city", "score", "stage"),
        stages=tuple(f"s{one}" for one in range(9)),
    )


def _mixed(number: int) -> tuple[str, Mapping[str, Any]]:
    pipelines = {"pipeline_ids": [f"p{number % 20}"]}
    filters = {"field_filters": {"city": f"c{number % 50}", "score": {"$gte": number % 100}}}
    return (
        ("trigger_record_created", {**pipelines, **filters}),
        ("trigger_record_updated", {**pipelines, **filters}),
        ("trigger_record_updated", {**pipelines, "specific_fields": ["stage", "owner"]}),
        ("trigger_record_deleted", pipelines),
        ("trigger_pipeline_stage_changed", {**pipelines, "to_stages": [f"s{number % 9}"]}),
        ("trigger_event", {"event": f"e{number}"}),
        ("trigger_workflow_completed", {"source_workflow_id": f"w{number}"}),
    )[number // 20 % 7]


def _by_value(number: int) -> tuple[str, Mapping[str, Any]]:
    return "trigger_record_updated", {"pipeline_id": "p1", "field_filters": {"city": f"c{number}"}}


def _by_span(number: int) -> tuple[str, Mapping[str, Any]]:
    filters = {"score": {"$gte": number * 10, "$lt": number * 10 + 10}}
    return "trigger_record_updated", {"pipeline_id": "p1", "field_filters": filters}
