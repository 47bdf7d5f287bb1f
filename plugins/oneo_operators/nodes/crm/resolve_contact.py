"""Finding the contact that is meant, or creating it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid5

from pydantic import Field, NonNegativeFloat, model_validator
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.database import plain_json
from oneo.errors import ConfigError
from oneo.store import contacts, merging, pipelines, records, tenants
from oneo.store.contacts import Match, Strategy, Wanted
from oneo.store.locks import lock_records, lock_values
from oneo.store.merging import Policy
from oneo.store.models import Record
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult

_LISTED = 10


class ResolveContactConfig(NodeConfig):
    """By what a contact is recognised, and what happens with the one found."""

    match_criteria: dict[str, Any] = Field(
        min_length=1,
        description="Field to value; empty values are left out. E-mail and phone are compared in their normal "
        "spelling, `name` by similarity.",
    )
    match_strategy: Strategy = Field(
        default="any",
        description="One criterion is enough, all must agree, or each counts by its weight.",
    )
    match_weights: dict[str, NonNegativeFloat] = Field(
        default_factory=dict,
        description='With `weighted`: criterion to weight, e.g. `{"email": 3}`; others weigh 1.',
    )
    confidence_threshold: float = Field(
        default=0.8, ge=0, le=1, description="Contacts below this confidence are not meant."
    )
    create_if_not_found: bool = Field(default=True, description="Create the contact where none is meant.")
    update_existing: bool = Field(
        default=False, description="Write criteria and contact_data into the contact found."
    )
    merge_duplicates: bool = Field(
        default=False,
        description="Fold further contacts that are meant into the oldest of the best, with tasks and relations.",
    )
    merge_threshold: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Contacts below this confidence are not folded: similar names may be two people.",
    )
    merge_policy: Policy = Field(
        default="fill",
        description="What the contact that stays takes: what it lacks, what was changed last, or nothing.",
    )
    contact_data: dict[str, Any] = Field(
        default_factory=dict, description="More fields for a contact that is created or updated."
    )
    pipeline_id: str = Field(default="contacts", description="Pipeline that holds the contacts.")
    default_region: str | None = Field(
        default=None,
        pattern="^[A-Z]{2}$",
        description="Country of phone numbers without a country code: DE, US, … Default: the tenant's `country`.",
    )
    ignore_email_tags: bool = Field(default=False, description="`ann+news@example.com` is `ann@example.com`.")

    @model_validator(mode="after")
    def _weights_weigh(self) -> ResolveContactConfig:
        unknown = [name for name in self.match_weights if name not in self.match_criteria]
        if unknown:
            raise ValueError(
                f"match_weights names {', '.join(unknown)}, and match_criteria {', '.join(self.match_criteria)}"
            )
        if self.match_weights and self.match_strategy != "weighted":
            raise ValueError(f"match_weights is for match_strategy weighted, not {self.match_strategy}")
        if self.match_criteria and not any(self.match_weights.get(name, 1) for name in self.match_criteria):
            raise ValueError("match_weights leaves no criterion any weight")
        return self


class ResolveContactOperator(NodeOperator):
    """Find or create a contact."""

    type: ClassVar[str] = "resolve_contact"
    category: ClassVar[str] = "crm"
    description: ClassVar[str] = "Finds the contact that is meant by e-mail, phone or name, or creates it."
    effect: ClassVar[Effect] = "store"
    Config = ResolveContactConfig

    async def run(self, config: ResolveContactConfig, context: NodeContext) -> NodeResult:
        """Resolve; `output.contact_id`, `created`, `confidence`, `matched_by` and `merged` say what happened.

        `output.candidates` are the ten likeliest contacts, with those whose confidence is not enough.
        """

        def work(session: Session) -> dict[str, Any]:
            return self._resolve(session, config, context)

        output = await context.store(work)
        if output["contact_id"] is None:
            return NodeResult(output)
        return NodeResult(output, {"contact_id": output["contact_id"], "contact": output["contact"]})

    def _resolve(
        self, session: Session, config: ResolveContactConfig, context: NodeContext
    ) -> dict[str, Any]:
        region = config.default_region or tenants.settings_of(session, context.tenant_id).phone_region
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
        wanted = Wanted(
            criteria,
            config.match_strategy,
            config.confidence_threshold,
            region,
            config.match_weights,
            tags=not config.ignore_email_tags,
        )
        pipelines.own(session, config.pipeline_id)
        # Two executions that mean the same new person wait for each other, also where only one heeds tags.
        spelled = [(name, contacts.untagged(value)) for name, value in criteria.items()]
        lock_values(session, context.tenant_id, config.pipeline_id, spelled)
        found, rows = _meant(session, config, wanted)
        if not rows:
            return self._create(session, config, context, criteria, found)
        best, *others = rows
        merged = merging.merge(session, best, others, config.merge_policy)
        if config.update_existing:
            records.update(
                session, best, records.Changes(set={**criteria, **plain_json(config.contact_data)})
            )
        return _output(best, found, merged=merged)

    def _create(
        self,
        session: Session,
        config: ResolveContactConfig,
        context: NodeContext,
        criteria: dict[str, Any],
        found: list[Match],
    ) -> dict[str, Any]:
        if not config.create_if_not_found:
            return _output(None, found)
        data = {**criteria, **plain_json(config.contact_data)}
        own = uuid5(context.execution_id, f"contact/{context.key}") if context.execution_id else None
        row = records.create(session, context.tenant_id, config.pipeline_id, data, record_id=own)
        return _output(row, found, created=True)


def _meant(
    session: Session, config: ResolveContactConfig, wanted: Wanted
) -> tuple[list[Match], list[Record]]:
    """All that may be meant, and of them, locked, the one that is, with its duplicates where they are folded."""
    while True:
        found = contacts.matches(session, config.pipeline_id, wanted)
        ids = [match.record.id for match in found if match.meant]
        if config.merge_duplicates:
            sure = {match.record.id for match in found if match.confidence >= config.merge_threshold}
            ids = [one for index, one in enumerate(ids) if index == 0 or one in sure]
        else:
            ids = ids[:1]
        rows = lock_records(session, ids)
        # Who waited for another's merge may hold what is no longer there, and looks again.
        if len(rows) == len(ids):
            return found, [rows[one] for one in ids]


def _output(
    row: Record | None, found: list[Match], *, created: bool = False, merged: list[str] | None = None
) -> dict[str, Any]:
    best = found[0] if row is not None and not created else None
    return {
        "found": row is not None,
        "contact_id": str(row.id) if row is not None else None,
        "contact": records.view(row) if row is not None else None,
        "created": created,
        "confidence": best.confidence if best is not None else float(created),
        "matched_by": list(best.by) if best is not None else [],
        "merged": merged or [],
        "candidates": [
            {
                "contact_id": str(match.record.id),
                "confidence": match.confidence,
                "matched_by": list(match.by),
            }
            for match in found[:_LISTED]
        ],
    }
