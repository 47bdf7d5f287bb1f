"""A task for a person about a record."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.errors import ConfigError
from oneo.store import notifications, tasks, tenants
from oneo.store.models import Record, Task
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.crm import _due
from oneo_operators.nodes.crm._assigning import AssignmentConfig, assignee
from oneo_operators.own_record import own_record
from oneo_operators.result import NodeResult


class CreateFollowUpTaskConfig(AssignmentConfig):
    """What is to be done, by whom and when."""

    task_type: str = Field(default="task", min_length=1, description="Kind of task: call, email, meeting, …")
    title: str = Field(min_length=1, description="What is to be done.")
    description: str | None = Field(default=None, description="Details.")
    due_date: datetime | date | str | None = Field(
        default=None,
        description="When it is due: `{{date.add_days(3)}}`, a date, which means its end, or a time from now such as "
        "`+2 days`, `+1 week`, `+3 business days`, `P2D`, `tomorrow`.",
    )
    business_days: bool = Field(
        default=False,
        description="Days from now are business days, and a due date on a free day moves to the next business day.",
    )
    holiday_country: str | None = Field(
        default=None,
        pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        description="Country (DE) or country and region (DE-BY) whose holidays are free. Default: the tenant's "
        "`country`; without one, Monday to Friday are business days.",
    )
    timezone: str | None = Field(
        default=None,
        description="Zone of the due date. Default: the workflow's, and where that is UTC the tenant's `timezone`.",
    )
    priority: Literal["low", "medium", "high", "urgent"] = Field(
        default="medium", description="How urgent it is."
    )
    related_record: str | None = Field(
        default=None, description="Default: the record the execution is about."
    )
    reminder_before_minutes: int | None = Field(
        default=None, ge=0, description="Minutes before the due date at which to remind who is to do it."
    )
    reminder_channel: Literal["in_app", "email", "slack", "sms"] = Field(
        default="in_app", description="Channel of the reminder."
    )

    @field_validator("due_date", mode="before")
    @classmethod
    def _can_be_due(cls, value: Any) -> Any:
        if (
            value is None
            or isinstance(value, date)
            or (isinstance(value, str) and _due.read(value) is not None)
        ):
            return value
        raise ValueError(f"Input should be {_due.EXPECTED}; got {str(value)[:100]!r}")

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            return value and ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("Input should be a time zone such as Europe/Berlin") from error


class CreateFollowUpTaskOperator(NodeOperator):
    """Give a person something to do."""

    type: ClassVar[str] = "create_follow_up_task"
    category: ClassVar[str] = "crm"
    description: ClassVar[str] = "Creates a follow-up task for a person about a record."
    effect: ClassVar[Effect] = "store"
    Config = CreateFollowUpTaskConfig

    async def run(self, config: CreateFollowUpTaskConfig, context: NodeContext) -> NodeResult:
        """Create the task and its reminder; `output.task_id` is its id, `output.assigned_to` who is to do it."""
        if config.reminder_before_minutes is not None and config.due_date is None:
            raise ConfigError("reminder_before_minutes needs a due_date", "set due_date, or leave both out")
        record_id = config.related_record or context.record_id

        def work(session: Session) -> dict[str, Any]:
            row = own_record(session, context, record_id) if record_id else None
            due = _due_at(session, config, context)
            early = config.reminder_before_minutes
            task = tasks.create(
                session,
                context.tenant_id,
                task_id=_own(context, "task"),
                record_id=row.id if row else None,
                type=config.task_type,
                title=config.title,
                description=config.description,
                priority=config.priority,
                assigned_to=assignee(session, config, context, row),
                due_at=due,
                remind_at=due - timedelta(minutes=early) if due is not None and early is not None else None,
                execution_id=context.execution_id,
                node_id=context.node_id,
            )
            _remind(session, config, context, task, row)
            return tasks.view(task)

        output = await context.store(work)
        return NodeResult(output, {"task_id": output["task_id"]})


def _own(context: NodeContext, what: str) -> UUID:
    return uuid5(context.execution_id, f"{what}/{context.key}") if context.execution_id else uuid4()


def _due_at(session: Session, config: CreateFollowUpTaskConfig, context: NodeContext) -> datetime | None:
    due = _due.read(config.due_date) if isinstance(config.due_date, str) else config.due_date
    if due is None:
        return None
    held = tenants.settings_of(session, context.tenant_id)
    now = context.now
    country = config.holiday_country or held.country
    try:
        now = now.astimezone(ZoneInfo(config.timezone)) if config.timezone else now
        return _due.moment_of(due, now, country, business_days=config.business_days)
    except (OverflowError, ValueError) as error:
        raise ConfigError(
            f"config.due_date: {config.due_date!r} is beyond the calendar", "give a nearer date"
        ) from error


def _remind(
    session: Session, config: CreateFollowUpTaskConfig, context: NodeContext, task: Task, row: Record | None
) -> None:
    """Schedule the reminder; a task that is nobody's reminds nobody."""
    if task.remind_at is None or not task.assigned_to:
        return
    about_record = row is not None and str(row.id) == context.record_id
    notifications.create(
        session,
        context.tenant_id,
        notification_id=_own(context, "reminder"),
        channel=config.reminder_channel,
        recipient=task.assigned_to,
        title=task.title,
        message=task.description or "",
        priority=task.priority,
        link_url=context.record_url if about_record else None,
        execution_id=context.execution_id,
        node_id=context.node_id,
        due_at=task.remind_at,
        task_id=task.id,
    )
