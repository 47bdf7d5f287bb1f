"""Links to forms, for people whom a workflow asks something."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4, uuid5

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.forms.address import url_of
from oneo.store import form_links, forms
from oneo.store.form_links import LinkOptions
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.own_record import own_record
from oneo_operators.result import NodeResult


class GenerateFormLinkConfig(NodeConfig):
    """Which form, and what the link may do."""

    form_id: str = Field(min_length=1, description="The form; `oneo forms list` shows all.")
    prefill_data: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of fields that the form lets links fill; empty ones are left out.",
    )
    expiry_days: float | None = Field(
        default=None, gt=0, le=3650, description="Days for which it is valid; default: as the form says."
    )
    single_use: bool | None = Field(
        default=None, description="Whether it takes one submission only; default: as the form says."
    )
    redirect_url: str | None = Field(
        default=None,
        description="Where people go once they have sent it: a page of this host, or of one that the form allows.",
    )
    track_completion: bool = Field(
        default=False,
        description="Keep when it was first opened, and tell the workflows that the submission starts which "
        "execution and node made the link (`trigger.link`).",
    )
    record_id: str | None = Field(
        default=None,
        description="Record that the form is about; default: the one that the execution is about.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`form` is short for `form_id`."""
        if isinstance(value, dict) and "form" in value and "form_id" not in value:
            value = dict(value)
            value["form_id"] = value.pop("form")
        return value


class GenerateFormLinkOperator(NodeOperator):
    """Make a link to a form."""

    type: ClassVar[str] = "generate_form_link"
    category: ClassVar[str] = "utility"
    description: ClassVar[str] = (
        "Makes a link to a form for one person: prefilled, for some time, for one use."
    )
    effect: ClassVar[Effect] = "store"
    Config = GenerateFormLinkConfig

    async def run(self, config: GenerateFormLinkConfig, context: NodeContext) -> NodeResult:
        """Make the link; `output.url` is its address, which whoever has it can fill in."""
        about = config.record_id or context.record_id
        own = uuid5(context.execution_id, f"form link/{context.key}") if context.execution_id else uuid4()
        days = config.expiry_days

        def work(session: Session) -> dict[str, Any]:
            options = LinkOptions(
                record_id=own_record(session, context, about).id if about else None,
                prefill=config.prefill_data,
                expires_at=context.now + timedelta(days=days) if days else None,
                single_use=config.single_use,
                redirect_url=config.redirect_url,
                tracked=config.track_completion,
                execution_id=context.execution_id,
                node_id=context.node_id,
            )
            form = forms.get(session, config.form_id)
            row, token = form_links.create(
                session, context.tenant_id, form, options, context.now, link_id=own
            )
            return {
                "link_id": str(row.id),
                "form_id": row.form_id,
                "url": url_of(token),
                "expires_at": row.expires_at,
                "single_use": row.single_use,
            }

        output = await context.store(work)
        return NodeResult(output, {"form_link": output["url"]})
