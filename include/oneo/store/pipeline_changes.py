"""What a change of a pipeline brings: what differs, and which of its records no longer fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.store.models import Record
from oneo.store.pipeline_spec import PipelineField, PipelineSpec, PipelineStage
from oneo.store.records import values_of

_AT_ONCE = 500


@dataclass(frozen=True)
class Misfits:
    """Records that do not fit a pipeline; they stay as they are until somebody changes them.

    Attributes:
        count: How many there are.
        problems: The first of them: record id to what does not fit.
    """

    count: int
    problems: dict[str, list[str]]


def misfits(session: Session, spec: PipelineSpec, *, most: int = 10) -> Misfits:
    """The records of a pipeline that do not fit `spec`, oldest first; every record is looked at.

    Args:
        session: A tenant's session.
        spec: The pipeline as it is, or as it shall be.
        most: How many of them are described.
    """
    query = select(Record).where(Record.pipeline_id == spec.id, Record.deleted_at.is_(None))
    rows = session.scalars(query.order_by(Record.created_at, Record.id).execution_options(yield_per=_AT_ONCE))
    count, described = 0, dict[str, list[str]]()
    for row in rows:
        problems = spec.problems(values_of(row))
        count += bool(problems)
        if problems and len(described) < most:
            described[str(row.id)] = problems
    return Misfits(count, described)


def differences(old: PipelineSpec | None, new: PipelineSpec) -> list[str]:
    """What a pipeline's change is about, one sentence each."""
    if old is None:
        return [f"pipeline {new.id!r} is new"]
    found = [*_differences("field", old.fields, new.fields), *_differences("stage", old.stages, new.stages)]
    kept = [one.id for one in old.stages if one.id in {other.id for other in new.stages}]
    if kept != [one.id for one in new.stages if one.id in kept]:
        found.append("the stages have another order")
    if old.record_schema != new.record_schema:
        found.append("the JSON Schema is another")
    if old.source != new.source:
        found.append("its records are in another place, or mapped in another way")
    return found


def _differences(
    kind: str, old: Sequence[PipelineField | PipelineStage], new: Sequence[PipelineField | PipelineStage]
) -> Iterator[str]:
    before = {one.id: one.model_dump() for one in old}
    after = {one.id: one.model_dump() for one in new}
    for name, held in before.items():
        if name not in after:
            yield f"{kind} {name!r} is gone"
            continue
        for what, value in after[name].items():
            if value != held[what]:
                yield f"{kind} {name!r}: {what} was {_shown(held[what])}, is {_shown(value)}"
    yield from (f"{kind} {name!r} is new" for name in after if name not in before)


def _shown(value: Any) -> str:
    return "not given" if value is None else repr(value)
