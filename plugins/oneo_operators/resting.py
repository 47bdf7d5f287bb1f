"""How a task rests: Airflow's triggerer watches for it, and no worker is kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def rest(operator: BaseOperator, until: datetime, **kwargs: Any) -> NoReturn:
    """Leave the worker to others until a moment; then Airflow calls the operator's `resume`.

    Args:
        operator: The task's operator.
        until: The moment.
        **kwargs: What `resume` is given, as JSON.

    Raises:
        TaskDeferred: Always.
    """
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger  # noqa: PLC0415 - few tasks wait

    operator.defer(trigger=DateTimeTrigger(until), method_name="resume", kwargs=kwargs)
    raise AssertionError("a deferred task goes on elsewhere")
