"""Telling people."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal
from uuid import uuid4, uuid5

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.errors import PermanentNodeError
from oneo.store import notifications
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult

# `//host` and `/\\host` lead to another host, `javascript:` nowhere good.
_LINK = re.compile(r"https?://[^\s/\\]|/(?![/\\])", re.IGNORECASE)

Channel = Literal["in_app", "email", "slack", "sms"]


class TaskNotifyConfig(NodeConfig):
    """Who is told what, and how."""

    notification_type: Channel = Field(default="in_app", description="Channel where `channels` names none.")
    recipients: list[str] = Field(
        min_length=1, description="Users, addresses or teams; empty entries are left out, doubles told once."
    )
    title: str = Field(min_length=1, max_length=500, description="Headline.")
    message: str = Field(description="Text.")
    priority: Literal["low", "medium", "normal", "high", "urgent"] = Field(
        default="normal", description="How urgent it is."
    )
    channels: list[Channel] = Field(
        default_factory=list, description="Every recipient is told on each of them."
    )
    include_link: bool = Field(default=False, description="Add link_url, or else the record's address.")
    link_url: str | None = Field(default=None, description="Link to show.")

    @field_validator("recipients", mode="before")
    @classmethod
    def _without_gaps(cls, value: Any) -> Any:
        """A record without an owner leaves a gap, which is not a recipient."""
        return [one for one in value if one not in (None, "")] if isinstance(value, list) else value


class TaskNotifyOperator(NodeOperator):
    """Notify people."""

    type: ClassVar[str] = "task_notify"
    category: ClassVar[str] = "utility"
    description: ClassVar[str] = "Queues a notification to people on one or more channels."
    effect: ClassVar[Effect] = "store"
    Config = TaskNotifyConfig

    async def run(self, config: TaskNotifyConfig, context: NodeContext) -> NodeResult:
        """Queue one notification per recipient and channel; `output.notifications` are their ids."""
        channels = list(dict.fromkeys(config.channels or [config.notification_type]))
        people = list(dict.fromkeys(config.recipients))
        link = config.link_url
        if config.include_link and link is None:
            link = context.record_url
        if not config.include_link:
            link = None
        if link is not None and not _LINK.match(link):
            raise PermanentNodeError(
                f"link_url {link!r} is not a web address",
                "start it with https://, or with / for a page of the CRM",
            )

        def work(session: Session) -> list[str]:
            ids = []
            for channel in channels:
                for person in people:
                    name = f"notification/{context.key}/{channel}/{person}"
                    own = uuid5(context.execution_id, name) if context.execution_id else uuid4()
                    notifications.create(
                        session,
                        context.tenant_id,
                        notification_id=own,
                        channel=channel,
                        recipient=person,
                        title=config.title,
                        message=config.message,
                        priority=config.priority,
                        link_url=link,
                        execution_id=context.execution_id,
                        node_id=context.node_id,
                    )
                    ids.append(str(own))
            return ids

        ids = await context.store(work)
        return NodeResult({"notifications": ids, "recipients": people, "channels": channels})
