"""A pool of Airflow for each tenant: a burst of one leaves the workers of the others alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.models import Pool, TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import State
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from oneo.database import Database
from oneo.settings import settings
from oneo.store import tenants
from oneo.store.tenant_settings import TenantSettings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PREFIX = "oneo-"


def pool_of(tenant_id: str) -> str:
    """The name of a tenant's pool."""
    return f"{PREFIX}{tenant_id}"


def keep_pools(database: Database) -> None:
    """Make Airflow's pools those of the tenants, and note with each tenant that it has one.

    A pool somebody has deleted is made again, or its tasks would wait for ever; one that is there keeps its name for
    as long as there is the tenant, whatever its size, so that no run loses its pool.
    """
    usual = settings().tenant_pool_slots
    with database.system() as session:
        rows = tenants.all_tenants(session)
    wanted = {
        pool_of(row.id): TenantSettings.model_validate(row.settings).pool_slots or usual for row in rows
    }
    with create_session() as airflow:
        ours = select(Pool).where(Pool.pool.startswith(PREFIX, autoescape=True))
        known = {pool.pool: pool for pool in airflow.scalars(ours)}
        for name, slots in wanted.items():
            _keep(airflow, known.get(name), name, slots)
        for name in known.keys() - wanted.keys():
            if not _in_use(airflow, name):
                airflow.delete(known[name])
    with database.system() as session:
        for row in rows:
            tenants.note_pool(session, row.id, pool_of(row.id))


def _keep(airflow: Session, known: Pool | None, name: str, slots: int) -> None:
    if known is not None:
        known.slots = slots
        return
    tenant_id = name.removeprefix(PREFIX)
    new = insert(Pool).values(
        pool=name,
        slots=slots,
        description=f"Tasks of tenant {tenant_id}; `oneo tenants set {tenant_id} pool_slots=…` changes its size.",
        include_deferred=False,
    )
    # Another dispatcher may be here at the same time.
    airflow.execute(new.on_conflict_do_nothing())


def _in_use(airflow: Session, name: str) -> bool:
    """Whether tasks of a tenant that was removed have not ended yet."""
    states = [state for state in State.unfinished if state is not None]
    open_ = or_(TaskInstance.state.is_(None), TaskInstance.state.in_(states))
    return (
        airflow.scalar(select(TaskInstance.id).where(TaskInstance.pool == name, open_).limit(1)) is not None
    )
