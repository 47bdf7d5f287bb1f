"""What our store keeps about tables of tenants' own: effects under way, what was read, how rows looked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import SourceEffect, SourceReader, SourceRow


def is_begun(session: Session, execution_id: UUID, effect: str) -> bool:
    """Whether an attempt of an effect was begun whose end nobody has seen."""
    query = select(SourceEffect.effect).where(
        SourceEffect.execution_id == execution_id, SourceEffect.effect == effect
    )
    return session.scalar(query) is not None


def begin_effect(session: Session, tenant_id: str, execution_id: UUID, effect: str) -> None:
    """Note that an effect is about to be committed in a database that keeps no account of it."""
    new = insert(SourceEffect).values(tenant_id=tenant_id, execution_id=execution_id, effect=effect)
    session.execute(new.on_conflict_do_nothing())


def end_effect(session: Session, execution_id: UUID, effect: str) -> None:
    """Forget an effect: it is known what became of it."""
    session.execute(
        delete(SourceEffect).where(SourceEffect.execution_id == execution_id, SourceEffect.effect == effect)
    )


def note_writer(session: Session, tenant_id: str, pipeline_id: str, key: str, execution_id: UUID) -> None:
    """Note which execution has written a row last: what polling finds there was brought about by it."""
    new = insert(SourceRow).values(
        tenant_id=tenant_id, pipeline_id=pipeline_id, key=key, execution_id=execution_id
    )
    keys = ["tenant_id", "pipeline_id", "key"]
    session.execute(
        new.on_conflict_do_update(index_elements=keys, set_={"execution_id": new.excluded.execution_id})
    )


def reader(session: Session, tenant_id: str, pipeline_id: str) -> SourceReader:
    """How far a pipeline's table was read, locked: of two readers, one waits for the other."""
    new = insert(SourceReader).values(tenant_id=tenant_id, pipeline_id=pipeline_id)
    session.execute(new.on_conflict_do_nothing())
    query = select(SourceReader).where(
        SourceReader.tenant_id == tenant_id, SourceReader.pipeline_id == pipeline_id
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def forget_reading(session: Session, tenant_id: str, pipeline_id: str) -> None:
    """Begin to read a pipeline's table anew."""
    for model in (SourceReader, SourceRow):
        session.execute(delete(model).where(model.tenant_id == tenant_id, model.pipeline_id == pipeline_id))
