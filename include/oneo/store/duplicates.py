"""Duplicates: the record that is there already, told by the values of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from oneo.store import records, unique
from oneo.store.locks import lock_values
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec

Strategy = Literal["any", "all"]


def default_fields(spec: PipelineSpec) -> list[str]:
    """The fields that tell duplicates of a pipeline where nobody names any."""
    return [field.id for field in spec.fields if field.unique] or ["email", "phone", "external_id"]


def find(
    session: Session,
    tenant_id: str,
    pipeline_id: str,
    data: Mapping[str, Any],
    names: Sequence[str],
    strategy: Strategy = "any",
) -> Record | None:
    """The oldest record with the same values, locked; None where there is none.

    Whoever looks for the same values waits until the transaction ends, and then finds what it created.

    Args:
        session: A tenant's session.
        tenant_id: The tenant.
        pipeline_id: Where to look.
        data: The values; an empty one makes no duplicate.
        names: Fields to compare.
        strategy: Whether the same value in one of them is enough, the first named first, or all must agree.
    """
    values = [(name, data[name]) for name in names if data.get(name) not in (None, "")]
    lock_values(session, tenant_id, pipeline_id, values)
    if strategy == "any":
        for name, value in values:
            ids = _with_value(session, pipeline_id, name, value)
            if ids:
                return records.get(session, ids[0], lock=True)
        return None
    if not values or len(values) < len(names):
        return None
    alike = [_with_value(session, pipeline_id, name, value) for name, value in values]
    shared = [one for one in alike[0] if all(one in others for others in alike[1:])]
    return records.get(session, shared[0], lock=True) if shared else None


def _with_value(session: Session, pipeline_id: str, name: str, value: Any) -> list[UUID]:
    """Ids of the records that have the value, oldest first; in a unique field, however it is spelled."""
    if name in unique.fields(session, pipeline_id) and name not in records.SYSTEM_FIELDS:
        one = unique.holder(session, pipeline_id, name, value)
        return [one] if one is not None else []
    return [row.id for row in records.find_equal(session, pipeline_id, name, value)]
