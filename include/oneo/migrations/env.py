"""Runs migrations against the URL handed over by `oneo.database.migrate`."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    # Two processes that start at once must not migrate side by side.
    connection.execute(text("SELECT pg_advisory_lock(823477001)"))
    connection.commit()
    try:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(823477001)"))
        connection.commit()
engine.dispose()
