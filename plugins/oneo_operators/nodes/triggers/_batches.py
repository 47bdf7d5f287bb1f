"""One execution for several records: what the triggers on records have in common about it."""

from __future__ import annotations

from pydantic import Field

from oneo.verdicts import Gathers
from oneo_operators.nodes.triggers._records import RecordTriggerConfig


class BatchConfig(RecordTriggerConfig):
    """When a batch is full."""

    batch_processing: bool = Field(
        default=False,
        description="One execution for several records, which finds them in `trigger.records`, instead of one each.",
    )
    batch_size: int = Field(default=100, ge=1, le=1000, description="Records of a batch at most.")
    batch_seconds: float = Field(
        default=5,
        ge=0,
        le=86_400,
        description="Seconds after its first record when a batch starts at the latest.",
    )

    def batch(self, delay_seconds: float = 0) -> Gathers:
        """The event waits for others; `delay_seconds` is how long a batch waits beyond its own time."""
        return Gathers(within_seconds=delay_seconds + self.batch_seconds, size=self.batch_size)
