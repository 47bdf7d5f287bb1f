"""Who is to do something."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from sqlalchemy.orm import Session

from oneo.store import rotations, tasks
from oneo.store.models import Record
from oneo_operators.base import NodeConfig
from oneo_operators.context import NodeContext

Assignment = Literal["named", "record_owner", "round_robin", "least_load"]
_FROM_LIST = ("round_robin", "least_load")


class AssignmentConfig(NodeConfig):
    """The options that say who."""

    assigned_to: str | None = Field(
        default=None,
        description="Who is to do it, e.g. `{{record.owner}}`; with `record_owner`, who does it where the record "
        "has none.",
    )
    assignment: Assignment = Field(
        default="named",
        description="By name (`assigned_to`), to the owner of the related record, to the people of `assignees` in "
        "turn, or to the one of them with the fewest open tasks.",
    )
    assignees: list[str] = Field(
        default_factory=list,
        description="With `round_robin` and `least_load`: the people; empty ones are left out.",
    )
    rotation: str | None = Field(
        default=None,
        min_length=1,
        description="With `round_robin`: name of the rotation; nodes that share it share the turns. Default: the "
        "node has its own.",
    )

    @field_validator("assignees", mode="before")
    @classmethod
    def _without_gaps(cls, value: Any) -> Any:
        return [one for one in value if one not in (None, "")] if isinstance(value, list) else value

    @model_validator(mode="after")
    def _people_to_choose_from(self) -> AssignmentConfig:
        if (self.assignment in _FROM_LIST) != bool(self.assignees):
            raise ValueError(
                f"`assignees` names people for the assignments {' and '.join(_FROM_LIST)}, and for no other: this is "
                f"{self.assignment} of {len(self.assignees)}"
            )
        return self


def assignee(
    session: Session, config: AssignmentConfig, context: NodeContext, row: Record | None
) -> str | None:
    """Who is to do it; None for nobody.

    Args:
        session: The attempt's.
        config: The options.
        context: The node's.
        row: The record it is about.
    """
    if config.assignment == "round_robin":
        workflow = context.scope.find("workflow")
        own = f"{workflow['id'] if isinstance(workflow, dict) else ''}/{context.node_id}"
        return rotations.whose_turn(session, context.tenant_id, config.rotation or own, config.assignees)
    if config.assignment == "least_load":
        return tasks.least_busy(session, context.tenant_id, config.assignees)
    owner = row.owner if row is not None and config.assignment == "record_owner" else None
    return owner or config.assigned_to
