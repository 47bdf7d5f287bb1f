"""Field values on their way into a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from oneo.database import plain_json
from oneo.errors import ConfigError
from oneo.store import pipelines, records
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec
from oneo.store.records import SYSTEM_FIELDS, Changes
from oneo_operators.context import NodeContext


def record_values(values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The values as a record keeps them: dates as ISO text; stage, owner and external id as text.

    Raises:
        ConfigError: A value that no record can hold.
    """
    try:
        plain: dict[str, Any] = plain_json(values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {error}", "give texts, numbers, dates, lists or objects") from error
    for name in SYSTEM_FIELDS:
        value = plain.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            plain[name] = str(value)
        elif value is not None and not isinstance(value, str):
            raise ConfigError(f"{place}.{name} must be a text, got {value!r}", "give a text or null")
    return plain


def own_id(context: NodeContext) -> UUID | None:
    """The id follows from the execution and the node: whoever runs it again means the same record."""
    if context.execution_id is None:
        return None
    return uuid5(context.execution_id, f"record/{context.key}")


def update_checked(
    session: Session, row: Record, changes: Changes, spec: PipelineSpec, *, skip_validation: bool
) -> list[str]:
    """Change a locked record; returns the names of the fields that really changed.

    Raises:
        InvalidRecordError: The change leads to a record that does not fit its pipeline.
        UserError: The change cannot be made.
    """
    before = records.values_of(row)
    changed = records.update(session, row, changes)
    if changed and not skip_validation:
        pipelines.check(spec, records.values_of(row), before)
    return changed
