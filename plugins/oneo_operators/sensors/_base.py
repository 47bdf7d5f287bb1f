"""What the sensors have in common: they wait in the triggerer, not in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from oneo.filters import parse
from oneo.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context


class EventLogSensor(BaseSensorOperator):
    """Waits for the first event that fits; its trigger data is the task's output.

    Args:
        kinds: Kinds of the events.
        topics: Their pipelines or names; `*` for all.
        filters: What the record, or the data of an application's event, must fit.
        tenant: Whose events; default: `ONEO_TENANT`.
        since: Only events with greater numbers; default: those that come once the task has begun.
        **kwargs: Arguments of Airflow's sensors, such as `timeout` and `soft_fail`.

    Raises:
        UserError: The filters cannot be read.
    """

    # Airflow's own templating stays off: data that looks like a template must stay data.
    template_fields: Sequence[str] = ()
    ui_color = "#fef9c3"

    def __init__(
        self,
        *,
        kinds: Sequence[str],
        topics: Sequence[str],
        filters: Mapping[str, Any] | None = None,
        tenant: str | None = None,
        since: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kinds = list(kinds)
        self.topics = list(topics)
        self.filters = dict(filters or {})
        self.tenant = tenant
        self.since = since
        parse(self.filters)

    def execute(self, context: Context) -> Any:
        """Note where to begin, and leave the wait to the triggerer.

        Raises:
            NotFoundError: There is no such tenant.
        """
        from oneo.database import database  # noqa: PLC0415 - the store is needed in tasks only
        from oneo.store import event_log, tenants  # noqa: PLC0415
        from oneo_operators.triggers_event import EventTrigger  # noqa: PLC0415

        tenant_id = tenants.check_id(self.tenant or settings().tenant)
        with database().tenant(tenant_id) as session:
            tenants.get(session, tenant_id)
            since = event_log.newest_id(session) if self.since is None else self.since
        self.defer(
            trigger=EventTrigger(tenant_id, self.kinds, self.topics, self.filters, since),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the task hands on: the event's trigger data."""
        return event
