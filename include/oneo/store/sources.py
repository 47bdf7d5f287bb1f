"""What our store keeps about tables of tenants' own: effects under way, what was read, how rows looked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store import pipelines
from oneo.store.models import Pipeline, SourceEffect, SourceReader, SourceRow
from oneo.store.pipelines import PipelineSpec


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


def forget_rows(session: Session, tenant_id: str, pipeline_id: str) -> None:
    """Begin to look at a pipeline's table anew: what is there then is nothing new."""
    rows = delete(SourceRow).where(SourceRow.tenant_id == tenant_id, SourceRow.pipeline_id == pipeline_id)
    session.execute(rows)
    session.execute(
        update(SourceReader)
        .where(SourceReader.tenant_id == tenant_id, SourceReader.pipeline_id == pipeline_id)
        .values(seen_until=None)
    )


def captured(session: Session) -> list[tuple[str, PipelineSpec]]:
    """(Tenant, pipeline) wherever changes of a table are to be read (system session)."""
    rows = session.scalars(
        select(Pipeline)
        .where(Pipeline.source["capture"].astext.in_(["trigger", "polling"]))
        .order_by(Pipeline.tenant_id, Pipeline.id)
    )
    return [(row.tenant_id, pipelines.spec_of(row)) for row in rows]
