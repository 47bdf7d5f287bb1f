"""Duplicates: several records that are one, folded into the one that stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import update
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.store import records, relations, tasks
from oneo.store.models import Record

Policy = Literal["fill", "newest", "keep"]
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def merge(session: Session, keep: Record, duplicates: Sequence[Record], policy: Policy = "fill") -> list[str]:
    """Fold duplicates into the record that stays.

    Their tasks and relations become its own. They are marked deleted and not removed: whoever asks for one of them
    gets the record that stays, whose history shows theirs, too.

    Args:
        session: A tenant's session.
        keep: The locked record that stays.
        duplicates: Locked records.
        policy: `fill`: it keeps its values, and takes what it lacks from the others, oldest first. `newest`: of
            each field, the value of the record that was changed last counts. `keep`: it takes nothing.

    Returns:
        Ids of the duplicates.

    Raises:
        UserError: A duplicate is the record itself, or in another pipeline.
    """
    for duplicate in duplicates:
        _check(keep, duplicate)
    taken = _taken(keep, duplicates, policy)
    # The duplicates first: of two records that are not deleted, one external id can be only in one.
    for duplicate in duplicates:
        tasks.move(session, duplicate.id, keep.id)
        relations.move(session, duplicate.id, keep.id)
        # What went into the duplicate before goes where it goes.
        earlier = update(Record).where(Record.merged_into == duplicate.id)
        session.execute(earlier.values(merged_into=keep.id), execution_options={"synchronize_session": False})
        duplicate.merged_into = keep.id
        records.delete(session, duplicate)
    if taken:
        records.update(session, keep, records.Changes(set=taken))
    return [str(duplicate.id) for duplicate in duplicates]


def _check(keep: Record, duplicate: Record) -> None:
    if keep.id == duplicate.id:
        raise UserError(
            f"record {keep.id} cannot be merged into itself", hint="name two records that are one"
        )
    if keep.pipeline_id != duplicate.pipeline_id:
        raise UserError(
            f"record {duplicate.id} is in pipeline {duplicate.pipeline_id!r}, "
            f"record {keep.id} in {keep.pipeline_id!r}",
            hint="merge records of one pipeline, or relate them with `oneo records relate`",
        )


def _taken(keep: Record, duplicates: Sequence[Record], policy: Policy) -> dict[str, Any]:
    """The fields that change on the record that stays."""
    if policy == "keep":
        return {}
    if policy == "fill":
        order = [keep, *sorted(duplicates, key=lambda row: (row.created_at, str(row.id)))]
    else:
        order = sorted((keep, *duplicates), key=lambda row: (row.updated_at, str(row.id)), reverse=True)
    found: dict[str, Any] = {}
    for row in order:
        for name, value in {**row.data, **{one: getattr(row, one) for one in records.SYSTEM_FIELDS}}.items():
            if value not in _EMPTY and name not in records.RESERVED_FIELDS:
                found.setdefault(name, value)
    return found
