"""Values that one record of a pipeline has: the database decides between writers, here it is said who has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql import func

from oneo.errors import DuplicateError, UserError
from oneo.store.models import Pipeline, RecordUniqueValue

# What the triggers call it; the database names it in its refusal.
CONSTRAINT = "record_unique_values"
_KNOWN = "unique_fields"


@contextmanager
def refusing(session: Session, pipeline_id: str) -> Iterator[None]:
    """Write records of a pipeline inside: what a unique field refuses leaves no trace in the transaction.

    Raises:
        DuplicateError: Another record has the value; the message names field, record and value.
    """
    if not fields(session, pipeline_id):
        yield
        return
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        diagnosis = violation(error)
        if diagnosis is None:
            raise
        raise DuplicateError(
            str(diagnosis.message_primary),
            "change the value, or write into that record: create_record with merge_if_exists",
            str(diagnosis.message_detail),
        ) from None


def violation(error: IntegrityError) -> Any | None:
    """What the database says about a value that is there already; None where it refused something else."""
    refused = error.orig
    if isinstance(refused, UniqueViolation) and refused.diag.constraint_name == CONSTRAINT:
        return refused.diag
    return None


@contextmanager
def refusing_fields(pipeline_id: str) -> Iterator[None]:
    """Change a pipeline's fields inside.

    Raises:
        UserError: A field shall be unique, and is not; the message names the records.
    """
    try:
        yield
    except IntegrityError as error:
        diagnosis = violation(error)
        if diagnosis is None:
            raise
        raise UserError(
            f"records of pipeline {pipeline_id!r} have the same value in a unique field: "
            f"{diagnosis.message_detail}",
            hint="change or delete one of each pair, or leave the field without `unique`",
        ) from None


def fields(session: Session, pipeline_id: str) -> Mapping[str, str]:
    """The unique fields of a pipeline with their types; read once for a transaction."""
    known: dict[str, dict[str, str]] = session.info.setdefault(_KNOWN, {})
    if pipeline_id not in known:
        found = session.scalar(select(Pipeline.fields).where(Pipeline.id == pipeline_id))
        remember(session, pipeline_id, found or [])
    return known[pipeline_id]


def remember(session: Session, pipeline_id: str, all_fields: Iterable[Mapping[str, Any]]) -> None:
    """Spare `fields` the reading: these are all fields of the pipeline."""
    unique = {field["id"]: field["type"] for field in all_fields if field.get("unique")}
    session.info.setdefault(_KNOWN, {})[pipeline_id] = unique


def spelled(field_name: str, kind: str, value: Any) -> Any:
    """A value as unique fields compare it; the database's `unique_value_hash` has the same rules."""
    if not isinstance(value, str):
        return value
    if kind == "phone" or (kind != "email" and field_name.endswith(("phone", "mobile"))):
        return re.sub(r"[^0-9+]", "", value)
    plain = " ".join(value.split())
    return plain.lower() if kind == "email" or field_name.endswith("email") else plain


def holder(session: Session, pipeline_id: str, field_name: str, value: Any) -> UUID | None:
    """Id of the record that has a value in a unique field, however it is spelled; None where none has it."""
    kind = fields(session, pipeline_id)[field_name]
    query = select(RecordUniqueValue.record_id).where(
        RecordUniqueValue.pipeline_id == pipeline_id,
        RecordUniqueValue.field == field_name,
        RecordUniqueValue.value_hash == func.unique_value_hash(field_name, kind, literal(value, JSONB)),
    )
    return session.scalar(query)
