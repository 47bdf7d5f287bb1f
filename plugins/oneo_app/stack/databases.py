"""The two databases of this installation."""

from __future__ import annotations

from dataclasses import dataclass, field

from oneo.errors import InfrastructureError
from oneo.settings import settings
from oneo_app.stack import postgres
from oneo_app.stack.layout import Layout, layout


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """SQLAlchemy URLs.

    Attributes:
        oneo: Our database, as everything but migrations uses it.
        airflow: Airflow's own.
        oneo_owner: Our database, as migrations use it.
    """

    oneo: str = field(repr=False)
    airflow: str = field(repr=False)
    oneo_owner: str = field(repr=False)


def needs_embedded() -> bool:
    """Whether a database is left to the embedded PostgreSQL."""
    return settings().database_url is None or settings().airflow_database_url is None


def resolve(where: Layout) -> DatabaseUrls:
    """The URLs from the settings, those of the embedded PostgreSQL for what they leave open; running or not."""
    configured = settings()
    oneo = configured.database_url or postgres.sqlalchemy_url(
        where, driver="psycopg", user="oneo", database="oneo"
    )
    # Airflow derives an asyncpg URL from this one by itself; asyncpg takes a socket's folder as host, too.
    airflow = configured.airflow_database_url or postgres.sqlalchemy_url(
        where, driver="psycopg2", user="airflow", database="airflow"
    )
    return DatabaseUrls(oneo=oneo, airflow=airflow, oneo_owner=configured.database_owner_url or oneo)


def urls() -> DatabaseUrls:
    """The URLs of databases that are there: configured ones, or those of a running embedded PostgreSQL.

    Raises:
        InfrastructureError: A database is left to the embedded PostgreSQL, and that does not run.
    """
    where = layout()
    if needs_embedded() and postgres.postmaster(where) is None:
        raise InfrastructureError(
            f"the local stack of {where.home} does not run",
            hint="start it with `oneo up`, or set ONEO_DATABASE_URL and ONEO_AIRFLOW_DATABASE_URL",
        )
    return resolve(where)
