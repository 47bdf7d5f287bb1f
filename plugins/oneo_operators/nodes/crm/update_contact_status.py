"""A contact's next step in its lifecycle."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, ClassVar
from uuid import uuid4, uuid5

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.database import plain_json
from oneo.errors import NotFoundError
from oneo.store import notifications, pipelines, records, relations
from oneo.store.locks import lock_records
from oneo.store.models import Record
from oneo.store.silence import silenced
from oneo_operators.base import NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.crm import _lifecycle
from oneo_operators.nodes.data._fields import record_values
from oneo_operators.nodes.data._target import RecordConfig, record_id_of
from oneo_operators.own_record import own_record
from oneo_operators.result import NodeResult


class UpdateContactStatusConfig(RecordConfig):
    """Which status follows, and who is to know."""

    new_status: str = Field(min_length=1, description="The status that follows.")
    status_field: str = Field(
        default="status",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        description="Field that holds it; may be `stage`.",
    )
    allowed_transitions: dict[str, list[str]] | None = Field(
        default=None,
        description="Status to those that may follow it; `*` stands for every status not named, and in a list for any. "
        "Default: the options of the pipeline's field in any order, else new, lead, contacted, qualified, opportunity, "
        "customer forward, with lost and inactive.",
    )
    update_timestamp: bool = Field(
        default=True, description="Note when, in `status_changed_at` (after the name of the status field)."
    )
    reason: str | None = Field(
        default=None, description="Why; kept in `status_reason`, and so in the history."
    )
    trigger_status_workflows: bool = Field(
        default=True, description="The change starts the workflows that watch for it."
    )
    update_related_records: bool = Field(
        default=False, description="Also change the records that are related to the contact."
    )
    related_kind: str | None = Field(
        default=None, description="Only relations of this kind, e.g. `deal`. Default: all."
    )
    related_fields: dict[str, Any] = Field(
        default_factory=dict,
        description="What changes on them. Default: `contact_status` becomes the new status.",
    )
    notification_list: list[str] = Field(
        default_factory=list,
        description="Users or teams that are told in the app; empty entries are left out, doubles told once.",
    )

    @field_validator("notification_list", mode="before")
    @classmethod
    def _without_gaps(cls, value: Any) -> Any:
        return [one for one in value if one not in (None, "")] if isinstance(value, list) else value


class UpdateContactStatusOperator(NodeOperator):
    """Move a contact on in its lifecycle."""

    type: ClassVar[str] = "update_contact_status"
    category: ClassVar[str] = "crm"
    description: ClassVar[str] = (
        "Changes the status of a contact where it may follow, and tells who is to know."
    )
    effect: ClassVar[Effect] = "store"
    Config = UpdateContactStatusConfig

    async def run(self, config: UpdateContactStatusConfig, context: NodeContext) -> NodeResult:
        """Change it; `output.changed` says whether it was another before. Where it was not, nobody is told."""
        record_id = record_id_of(config, context)

        def work(session: Session) -> dict[str, Any]:
            known = own_record(session, context, record_id).id
            related = (
                relations.of_record(session, known, config.related_kind)
                if config.update_related_records
                else set()
            )
            rows = lock_records(session, {known, *related})
            row = rows.pop(known, None)
            if row is None:
                raise NotFoundError(f"there is no record {record_id}", hint="it was deleted meanwhile")
            before = records.view(row).get(config.status_field)
            output: dict[str, Any] = {
                "record_id": str(row.id),
                "previous_status": before,
                "status": config.new_status,
                "changed": before != config.new_status,
                "related": [],
                "notifications": [],
            }
            if output["changed"]:
                with nullcontext() if config.trigger_status_workflows else silenced(session):
                    output["related"] = _change(session, config, context, row, list(rows.values()))
                output["notifications"] = _tell(session, config, context, row, before)
            return {**output, "record": records.view(row)}

        output = await context.store(work)
        return NodeResult(output, {"contact_id": output["record_id"], "contact": output["record"]})


def _change(
    session: Session,
    config: UpdateContactStatusConfig,
    context: NodeContext,
    row: Record,
    related: list[Record],
) -> list[str]:
    """Change the contact, then what is related to it; returns the ids of what really changed of that."""
    field = config.status_field
    table: _lifecycle.Transitions | None = config.allowed_transitions
    if table is None:
        table = _lifecycle.transitions_of(pipelines.get(session, row.pipeline_id), field)
    before = records.view(row).get(field)
    _lifecycle.check(table, field, None if before is None else str(before), config.new_status)
    values: dict[str, Any] = {field: config.new_status, f"{field}_reason": config.reason}
    if config.update_timestamp:
        values[f"{field}_changed_at"] = context.now
    records.update(session, row, records.Changes(set=plain_json(values)))
    with_them = config.related_fields or {"contact_status": config.new_status}
    changes = records.Changes(set=record_values(with_them, "config.related_fields"))
    return [str(one.id) for one in related if records.update(session, one, changes)]


def _tell(
    session: Session, config: UpdateContactStatusConfig, context: NodeContext, row: Record, before: Any
) -> list[str]:
    view = records.view(row)
    who = next((view[name] for name in ("name", "full_name", "email") if view.get(name)), row.id)
    message = f"{config.status_field} was {before}" if before else f"{config.status_field} was not set"
    ids = []
    for person in dict.fromkeys(config.notification_list):
        name = f"status/{context.key}/{person}"
        own = uuid5(context.execution_id, name) if context.execution_id else uuid4()
        notifications.create(
            session,
            context.tenant_id,
            notification_id=own,
            channel="in_app",
            recipient=person,
            title=f"{who} is now {config.new_status}",
            message=f"{message}. {config.reason or ''}".strip(),
            priority="normal",
            link_url=context.record_url if str(row.id) == context.record_id else None,
            execution_id=context.execution_id,
            node_id=context.node_id,
        )
        ids.append(str(own))
    return ids
