"""Records for nodes that work on our own store only."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.store import pipelines, records
from oneo.store.models import Record
from oneo_operators.context import NodeContext


def own_record(session: Session, context: NodeContext, record_id: str) -> Record:
    """The record of an id.

    Raises:
        NotFoundError: There is none.
        UserError: It is the execution's, and is in a table of the tenant's own.
    """
    try:
        return records.get(session, record_id)
    except NotFoundError:
        if record_id == context.record_id and context.pipeline_id is not None:
            with suppress(NotFoundError):
                pipelines.own(session, context.pipeline_id)
        raise
