"""Conditions that come to hold, and hold for a while, start the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dag_factory.catalogue import Watch
from oneo.events import METRIC, TIMER, Event
from oneo.verdicts import Arms, Disarms, Refuses, Several, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.nodes.triggers._condition import CHANGED, Look, MetCondition, look_at
from oneo_operators.time_options import Span, span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALL = "*"


class TriggerConditionMetConfig(NodeConfig):
    """Which conditions start the workflow."""

    conditions: list[MetCondition] = Field(
        min_length=1,
        max_length=50,
        description='E.g. `{"field": "temperature", "operator": "gt", "value": 100, "duration_minutes": 5}`.',
    )
    require_all: bool = Field(
        default=True,
        description="All of them must hold, each for its duration. False: each of them starts the workflow by itself.",
    )
    evaluation_frequency: Span = Field(
        default="1m",
        description="How often it is looked whether a duration is over: `30s`, `1m`, `2h`. Conditions without a "
        "duration are looked at with every change.",
    )
    pipeline_ids: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Pipelines whose records to watch; `*` for all. Default: all, unless series are named.",
    )
    series: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Series of pushed metrics to watch, e.g. `boiler-7`; `*` for all. Default: all, unless pipelines "
        "are named.",
    )

    @model_validator(mode="after")
    def _lasting(self) -> TriggerConditionMetConfig:
        moments = any(one.operator == CHANGED for one in self.conditions)
        if self.require_all and moments and any(one.duration_minutes for one in self.conditions):
            raise ValueError(
                "`changed` is a moment, and cannot hold together with conditions that need duration_minutes; "
                "set require_all to false, or leave one of them out"
            )
        return self

    def groups(self, subject: str) -> dict[str, Sequence[MetCondition]]:
        """Conditions that start the workflow together, by what the moment is called that they wait for."""
        if self.require_all:
            return {subject: self.conditions}
        return {f"{subject}#{index}": [one] for index, one in enumerate(self.conditions)}

    def watched(self, of_records: bool) -> list[str]:
        """The pipelines, or the series, that are looked at."""
        own, other = (self.pipeline_ids, self.series) if of_records else (self.series, self.pipeline_ids)
        return own or ([] if other else [_ALL])

    def unwatched(self, event: Event) -> str | None:
        """Why the event is about nothing that is watched; None where it is."""
        of_records = event.series is None
        name = event.record.get("pipeline_id", event.topic) if of_records else event.series
        if {_ALL, name} & set(self.watched(of_records)):
            return None
        return f"{'pipeline' if of_records else 'series'} {name!r} is not watched"


class TriggerConditionMetOperator(TriggerOperator):
    """Start when conditions on a record, or on pushed metrics, come to hold."""

    type: ClassVar[str] = "trigger_condition_met"
    description: ClassVar[str] = (
        "Starts the workflow when conditions on a record or on pushed metrics come to hold, and hold for a while."
    )
    Config = TriggerConditionMetConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """Whatever happens to the records and series that are watched."""
        options = TriggerConditionMetConfig.model_validate(config)
        pipelines, series = options.watched(True), options.watched(False)
        kinds = ("created", "updated", "deleted", "restored") if pipelines else ()
        return Watch(kinds + ((METRIC,) if series else ()), tuple(dict.fromkeys(pipelines + series)))

    @classmethod
    def consider(cls, options: TriggerConditionMetConfig, event: Event) -> Verdict:
        """Conditions start when they have come to hold, not because they still do.

        One that has to last asks for the moment when it will have. Of a group the latest such moment counts: whoever
        comes to hold anew only ever puts it off, so that all have held for their time once it comes.
        """
        look = look_at(event)
        if event.kind == TIMER:
            return _lasted(options, event, look)
        unwatched = options.unwatched(event)
        if unwatched:
            return Refuses(unwatched)
        found = [
            _considered(options, group, look, key) for key, group in options.groups(look.subject).items()
        ]
        waits = tuple(one for one in found if isinstance(one, Arms | Disarms))
        if any(isinstance(one, Starts) for one in found):
            groups = options.groups(look.subject).values()
            started = zip(found, groups, strict=True)
            met = [one for verdict, group in started if isinstance(verdict, Starts) for one in group]
            return Starts(_told(event, look, met), then=waits)
        if waits:
            return Several(waits)
        return Refuses("; ".join(one.reason for one in found if isinstance(one, Refuses)))


def _considered(
    options: TriggerConditionMetConfig, group: Sequence[MetCondition], look: Look, key: str
) -> Starts | Arms | Disarms | Refuses:
    """What follows for one group of conditions."""
    fails = next((one for one in group if not one.holds(look)), None)
    rising = [one for one in group if one.rises(look)]
    lasting = any(one.duration_minutes for one in group)
    reason = f"{fails} does not hold" if look.now else "the record was deleted"
    if lasting and not any(one.holds(look) for one in group):
        return Disarms(key, reason)
    if not rising:
        return Refuses(reason if fails else f"{group[0]} held before")
    duration = max(one.duration for one in rising)
    if duration:
        return Arms(key, _rounded(look.at + duration, span(options.evaluation_frequency)), latest=True)
    if fails:
        return Refuses(reason)
    # Others of the group may not have lasted long enough yet: their moment, where there is one, stays.
    return Arms(key, look.at, latest=True) if lasting else Starts()


def _lasted(options: TriggerConditionMetConfig, event: Event, look: Look) -> Verdict:
    """What follows from a moment that was asked for."""
    group = options.groups(look.subject).get(event.data["key"])
    if group is None:
        return Refuses("another version of the workflow asked for this moment")
    gone = options.unwatched(event) if look.now else "the record was deleted"
    if gone:
        return Refuses(gone)
    fails = next((one for one in group if not one.holds(look)), None)
    if fails is not None:
        return Refuses(f"{fails} does not hold any more")
    return Starts(_told(event, look, group))


def _told(event: Event, look: Look, met: Sequence[MetCondition]) -> dict[str, Any]:
    """What the execution gets to know."""
    conditions = [
        {
            "field": one.field,
            "operator": one.operator,
            "value": one.value,
            "actual": one.actual(look.now),
            "duration_minutes": one.duration_minutes,
        }
        for one in met
    ]
    about: dict[str, Any] = {"event": "condition_met", "event_id": event.id, "conditions": conditions}
    if event.series is not None:
        return {**look.now, **about, "series": event.series, "values": dict(look.now)}
    about |= {
        "record_id": event.record_key,
        "pipeline_id": event.record.get("pipeline_id"),
        "record": dict(look.now),
    }
    return {**look.now, **about}


def _rounded(moment: datetime, step: timedelta) -> datetime:
    """The first multiple of the step that is not before the moment."""
    return moment + (_EPOCH - moment) % step
