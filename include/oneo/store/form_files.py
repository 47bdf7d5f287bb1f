"""Files that came with forms."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.forms.answers import Taken
from oneo.store import storage
from oneo.store.models import FormFile


def keep(
    session: Session,
    tenant_id: str,
    form_id: str,
    submission_id: UUID,
    file: Taken,
    record_id: UUID | None,
    *,
    file_id: UUID | None = None,
) -> dict[str, Any]:
    """Keep a file; what is told of it to workflows.

    Raises:
        QuotaError: The tenant has no room for it.
    """
    storage.keep_file(session, tenant_id, file.name, len(file.content))
    row = FormFile(
        tenant_id=tenant_id,
        id=file_id or uuid4(),
        form_id=form_id,
        submission_id=submission_id,
        record_id=record_id,
        field=file.field,
        name=file.name,
        content_type=file.content_type,
        sha256=hashlib.sha256(file.content).hexdigest(),
        content=file.content,
    )
    session.add(row)
    session.flush()
    return {
        "file_id": str(row.id),
        "name": row.name,
        "content_type": row.content_type,
        "size": len(file.content),
        "sha256": row.sha256,
    }


def get(session: Session, file_id: UUID) -> FormFile:
    """A file.

    Raises:
        NotFoundError: There is none.
    """
    row = session.scalar(select(FormFile).where(FormFile.id == file_id))
    if row is None:
        raise NotFoundError(f"there is no file {file_id}", hint="give a file_id of a submission")
    return row
