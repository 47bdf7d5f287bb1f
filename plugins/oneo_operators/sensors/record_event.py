"""A hand-written DAG waits for a change of a record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oneo.errors import UserError
from oneo.suggest import did_you_mean
from oneo_operators.sensors._base import EventLogSensor

KINDS = ("created", "updated", "deleted", "restored")


class RecordEventSensor(EventLogSensor):
    """Waits until a record of a pipeline is created, changed, deleted or restored.

    `RecordEventSensor(task_id="wait", pipeline="deals", kinds=["updated"], filters={"stage": "won"})`

    Args:
        pipeline: The records' pipeline; `*` for all.
        kinds: What happens to them; default: anything.
        **kwargs: See `EventLogSensor`; `filters` are about the record as the event left it.

    Raises:
        UserError: There is no such kind, or the filters cannot be read.
    """

    def __init__(self, *, pipeline: str, kinds: Sequence[str] = KINDS, **kwargs: Any) -> None:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise UserError(
                f"kinds: {unknown[0]!r} does not happen to records" if unknown else "kinds is empty",
                hint=did_you_mean(unknown[0] if unknown else "", KINDS),
            )
        super().__init__(kinds=kinds, topics=[pipeline], **kwargs)
