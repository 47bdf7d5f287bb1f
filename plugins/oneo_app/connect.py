"""Where a command finds the store: the configured database, the running stack's, or one for the command's time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from oneo.database import Database, database, migrate
from oneo.errors import InfrastructureError
from oneo.settings import settings
from oneo.store import tenants


@contextmanager
def store() -> Iterator[Database]:
    """The migrated store, for the length of a command; starts the embedded PostgreSQL where no stack runs.

    Raises:
        InfrastructureError: The configured database does not answer.
    """
    from oneo_app.stack import state  # noqa: PLC0415 - loads psutil
    from oneo_app.stack.databases import resolve  # noqa: PLC0415
    from oneo_app.stack.embedded import embedded_postgres  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    running = state.running(layout())
    if running is not None and running.ui:
        # Links lead to where this stack's UI really is.
        os.environ.setdefault("ONEO_PUBLIC_URL", running.ui)
        settings.cache_clear()
    if settings().database_url is not None:
        yield _use(None)
        return
    with embedded_postgres() as urls:
        if running is None:
            # A stack that runs has migrated.
            migrate(urls.oneo_owner)
        yield _use(resolve(layout()).oneo)


@contextmanager
def running_stack() -> Iterator[Database]:
    """The store of a stack that runs.

    Raises:
        InfrastructureError: No stack runs here.
    """
    from oneo_app.stack import status  # noqa: PLC0415

    if not status()["ready"] and settings().database_url is None:
        raise InfrastructureError("the local stack does not run", hint="start it with `oneo up --detach`")
    with store() as found:
        yield found


def airflow_environment() -> None:
    """Make this process see Airflow as the stack does; to be called before Airflow is imported."""
    from oneo_app.stack import state  # noqa: PLC0415
    from oneo_app.stack.airflow_config import Ports  # noqa: PLC0415
    from oneo_app.stack.databases import resolve  # noqa: PLC0415
    from oneo_app.stack.environ import build  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    if "AIRFLOW_HOME" in os.environ and "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in os.environ:
        return
    where = layout()
    running = state.running(where)
    ports = Ports(**running.ports) if running is not None else Ports(api=settings().airflow_port)
    environment = build(where, resolve(where), ports)
    os.environ.update({name: value for name, value in environment.items() if name.startswith("AIRFLOW")})


def tenant_or_default(tenant: str | None) -> str:
    """The tenant a command is about.

    Raises:
        UserError: It cannot be a tenant's id.
    """
    return tenants.check_id(tenant or settings().tenant)


def ensure_tenant(found: Database, tenant_id: str) -> None:
    """Create the tenant where it is new."""
    with found.system() as session:
        tenants.ensure(session, tenant_id)


def _use(url: str | None) -> Database:
    if url is not None:
        os.environ["ONEO_DATABASE_URL"] = url
        settings.cache_clear()
        if database.cache_info().currsize:
            database().dispose()
        database.cache_clear()
    return database()
