"""A named event of an application starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.filters import Clause, Condition, demanded, matches, parse
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.filter_option import Filters


class TriggerEventConfig(NodeConfig):
    """Which events start the workflow."""

    event_names: list[str] = Field(
        min_length=1, description="Names of the events, e.g. `lead_qualified`; `*` for all."
    )
    filters: Filters = Field(
        default_factory=dict, description='Only events whose data fit: `{"amount": {"$gte": 1000}}`.'
    )

    @model_validator(mode="before")
    @classmethod
    def _one_event(cls, value: Any) -> Any:
        """`"event": "lead_qualified"` is short for `"event_names": ["lead_qualified"]`."""
        for short in ("event", "event_name"):
            if isinstance(value, dict) and short in value and "event_names" not in value:
                value = dict(value)
                value["event_names"] = [value.pop(short)]
        return value

    @cached_property
    def conditions(self) -> Sequence[Condition]:
        """The filters, read once."""
        return parse(self.filters)


class TriggerEventOperator(TriggerOperator):
    """Start with an event that an application emits."""

    type: ClassVar[str] = "trigger_event"
    description: ClassVar[str] = "Starts the workflow when an application emits a named event."
    Config = TriggerEventConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The events of the configured names."""
        return Watch(("app",), tuple(TriggerEventConfig.model_validate(config).event_names))

    @classmethod
    def requires(cls, options: TriggerEventConfig) -> Sequence[Clause]:
        """The filters."""
        return demanded(options.conditions)

    @classmethod
    def consider(cls, options: TriggerEventConfig, event: Event) -> Verdict:
        """Those whose data fit the filters."""
        decided = matches(options.conditions, event.facts)
        return Starts() if decided is None else Refuses(f"the event's data do not fit the filter {decided}")
