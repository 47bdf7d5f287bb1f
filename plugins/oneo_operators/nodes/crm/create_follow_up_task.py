"""A task for a person about a record."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Literal
from uuid import uuid4, uuid5

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.errors import ConfigError
from oneo.store import records, tasks
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult


class CreateFollowUpTaskConfig(NodeConfig):
    """What is to be done, by whom and when."""

    task_type: str = Field(default="task", min_length=1, description="Kind of task: call, email, meeting, …")
    title: str = Field(min_length=1, description="What is to be done.")
    description: str | None = Field(default=None, description="Details.")
    due_date: datetime | date | None = Field(
        default=None, description="When it is due, e.g. `{{date.add_days(3)}}`; a date alone means its end."
    )
    assigned_to: str | None = Field(default=None, description="Who is to do it, e.g. `{{record.owner}}`.")
    priority: Literal["low", "medium", "high", "urgent"] = Field(
        default="medium", description="How urgent it is."
    )
    related_record: str | None = Field(
        default=None, description="Default: the record the execution is about."
    )
    reminder_before_minutes: int | None = Field(
        default=None, ge=0, description="Minutes before the due date at which to remind."
    )

    @field_validator("due_date", mode="before")
    @classmethod
    def _iso(cls, value: Any) -> Any:
        """A text without a time is a date."""
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
        return value


class CreateFollowUpTaskOperator(NodeOperator):
    """Give a person something to do."""

    type: ClassVar[str] = "create_follow_up_task"
    category: ClassVar[str] = "crm"
    description: ClassVar[str] = "Creates a follow-up task for a person about a record."
    effect: ClassVar[Effect] = "store"
    Config = CreateFollowUpTaskConfig

    async def run(self, config: CreateFollowUpTaskConfig, context: NodeContext) -> NodeResult:
        """Create the task; `output.task_id` is its id."""
        zone = context.now.tzinfo or UTC
        due = config.due_date
        if due is not None and not isinstance(due, datetime):
            due = datetime.combine(due, time(23, 59, 59), tzinfo=zone)
        elif due is not None and due.tzinfo is None:
            due = due.replace(tzinfo=zone)
        remind = None
        if config.reminder_before_minutes is not None:
            if due is None:
                raise ConfigError(
                    "reminder_before_minutes needs a due_date", "set due_date, or leave both out"
                )
            remind = due - timedelta(minutes=config.reminder_before_minutes)
        record_id = config.related_record or context.record_id
        own = uuid5(context.execution_id, f"task/{context.key}") if context.execution_id else uuid4()

        def work(session: Session) -> dict[str, Any]:
            row = records.get(session, record_id) if record_id else None
            task = tasks.create(
                session,
                context.tenant_id,
                task_id=own,
                record_id=row.id if row else None,
                type=config.task_type,
                title=config.title,
                description=config.description,
                priority=config.priority,
                assigned_to=config.assigned_to,
                due_at=due,
                remind_at=remind,
                execution_id=context.execution_id,
                node_id=context.node_id,
            )
            return tasks.view(task)

        output = await context.store(work)
        return NodeResult(output, {"task_id": output["task_id"]})
