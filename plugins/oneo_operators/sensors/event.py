"""A hand-written DAG waits for an event of an application."""

from __future__ import annotations

from typing import Any

from oneo.store.emitting import APP
from oneo_operators.sensors._base import EventLogSensor


class EventSensor(EventLogSensor):
    """Waits until an application emits an event of a name.

    `EventSensor(task_id="wait", name="invoice_paid", filters={"amount": {"$gte": 1000}})`

    Args:
        name: The event's name; `*` for all.
        **kwargs: See `EventLogSensor`; `filters` are about the event's data.

    Raises:
        UserError: The filters cannot be read.
    """

    def __init__(self, *, name: str, **kwargs: Any) -> None:
        super().__init__(kinds=[APP], topics=[name], **kwargs)
