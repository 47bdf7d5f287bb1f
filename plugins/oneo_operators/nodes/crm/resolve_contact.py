"""Finding the contact that is meant, or creating it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid5

from pydantic import Field
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.database import plain_json
from oneo.errors import ConfigError
from oneo.store import contacts, pipelines, records, tenants
from oneo.store.contacts import Strategy
from oneo.store.locks import lock_values
from oneo.store.models import Record
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult


class ResolveContactConfig(NodeConfig):
    """By what a contact is recognised, and what happens with the one found."""

    match_criteria: dict[str, Any] = Field(
        min_length=1,
        description="Field to value; empty values are left out. E-mail and phone are compared in their normal "
        "spelling, `name` by similarity.",
    )
    match_strategy: Strategy = Field(default="any", description="One criterion is enough, or all must agree.")
    confidence_threshold: float = Field(
        default=0.8, ge=0, le=1, description="Contacts below this confidence are not meant."
    )
    create_if_not_found: bool = Field(default=True, description="Create the contact where none is meant.")
    update_existing: bool = Field(
        default=False, description="Write criteria and contact_data into the contact found."
    )
    merge_duplicates: bool = Field(
        default=False, description="Fold further contacts that are meant into the oldest of the best."
    )
    contact_data: dict[str, Any] = Field(
        default_factory=dict, description="More fields for a contact that is created or updated."
    )
    pipeline_id: str = Field(default="contacts", description="Pipeline that holds the contacts.")
    default_region: str | None = Field(
        default=None,
        pattern="^[A-Z]{2}$",
        description="Country of phone numbers without a country code: DE, US, … Default: the tenant's.",
    )


class ResolveContactOperator(NodeOperator):
    """Find or create a contact."""

    type: ClassVar[str] = "resolve_contact"
    category: ClassVar[str] = "crm"
    description: ClassVar[str] = "Finds the contact that is meant by e-mail, phone or name, or creates it."
    effect: ClassVar[Effect] = "store"
    Config = ResolveContactConfig

    async def run(self, config: ResolveContactConfig, context: NodeContext) -> NodeResult:
        """Resolve; `output.contact_id`, `created`, `confidence`, `matched_by` and `merged` say what happened."""
        region = config.default_region or await context.store(
            lambda session: tenants.settings_of(session, context.tenant_id).phone_region
        )
        given = {
            name: contacts.normalise(name, value, region)
            for name, value in plain_json(config.match_criteria).items()
            if value is not None
        }
        # "   " as an address and "n/a" as a phone number mean nobody.
        criteria = {name: value for name, value in given.items() if value}
        if not criteria:
            raise ConfigError(
                "every value of match_criteria is empty, so no contact can be meant",
                "add a criterion that is always there, or put a condition before this node",
            )

        def work(session: Session) -> dict[str, Any]:
            pipelines.get(session, config.pipeline_id)
            # Two executions that mean the same new person wait for each other.
            lock_values(session, context.tenant_id, config.pipeline_id, criteria.items())
            found = contacts.matches(
                session,
                config.pipeline_id,
                criteria,
                config.match_strategy,
                config.confidence_threshold,
                region,
            )
            if not found:
                return self._create(session, config, context, criteria)
            best = records.get(session, found[0].record.id, lock=True)
            merged: list[str] = []
            if config.merge_duplicates:
                others = [records.get(session, match.record.id, lock=True) for match in found[1:]]
                merged = contacts.merge(session, best, others)
            if config.update_existing:
                records.update(
                    session, best, records.Changes(set={**criteria, **plain_json(config.contact_data)})
                )
            return _output(
                best, created=False, confidence=found[0].confidence, by=list(found[0].by), merged=merged
            )

        output = await context.store(work)
        if output["contact_id"] is None:
            return NodeResult(output)
        return NodeResult(output, {"contact_id": output["contact_id"], "contact": output["contact"]})

    def _create(
        self, session: Session, config: ResolveContactConfig, context: NodeContext, criteria: dict[str, Any]
    ) -> dict[str, Any]:
        if not config.create_if_not_found:
            return _output(None, created=False, confidence=0.0, by=[], merged=[])
        data = {**criteria, **plain_json(config.contact_data)}
        own = uuid5(context.execution_id, f"contact/{context.key}") if context.execution_id else None
        row = records.create(session, context.tenant_id, config.pipeline_id, data, record_id=own)
        return _output(row, created=True, confidence=1.0, by=[], merged=[])


def _output(
    row: Record | None, *, created: bool, confidence: float, by: list[str], merged: list[str]
) -> dict[str, Any]:
    return {
        "found": row is not None,
        "contact_id": str(row.id) if row is not None else None,
        "contact": records.view(row) if row is not None else None,
        "created": created,
        "confidence": confidence,
        "matched_by": by,
        "merged": merged,
    }
