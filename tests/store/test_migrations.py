"""The schema and the models say the same, however the migrations got there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

import oneo.database
from oneo.database import migrate
from oneo.store.models import Base

# Only the migrations know about these: the models are for reading and writing rows.
NOT_MODELLED = {"index", "fk", "constraint"}


def differences(url: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata
        )
    engine.dispose()
    kinds = [one[0] if isinstance(one, tuple) else one[0][0] for one in found]
    return [
        one for one, kind in zip(found, kinds, strict=True) if kind.rpartition("_")[2] not in NOT_MODELLED
    ]


def schema(url: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT 'column', table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public'"
                " UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes"
                " WHERE schemaname = 'public'"
                " UNION ALL SELECT 'policy', tablename, policyname, roles::text FROM pg_policies"
                " UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, tgfoid::regproc::text"
                " FROM pg_trigger WHERE NOT tgisinternal"
                " UNION ALL SELECT 'check', conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
                " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4"
            )
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


def config(url: str) -> Config:
    found = Config()
    found.set_main_option("script_location", str(Path(oneo.database.__file__).parent / "migrations"))
    found.attributes["url"] = url
    return found


def test_models_equal_the_migrated_schema(owner_url):
    migrate(owner_url)

    assert differences(owner_url) == []


def test_comparison_sees_a_missing_column(owner_url):
    migrate(owner_url)
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE tasks DROP COLUMN remind_at"))
    engine.dispose()

    assert "remind_at" in str(differences(owner_url))


def test_migrating_twice_changes_nothing(owner_url):
    migrate(owner_url)
    first = schema(owner_url)
    migrate(owner_url)

    assert schema(owner_url) == first


def test_processes_that_migrate_at_once_leave_one_schema(owner_url):
    source = f"from oneo.database import migrate; migrate({owner_url!r})"
    running = [
        subprocess.Popen([sys.executable, "-c", source], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    errors = [process.communicate()[1] for process in running]

    assert [process.returncode for process in running] == [0, 0], errors
    assert differences(owner_url) == []


def test_downgrade_leaves_nothing_and_upgrade_brings_it_back(owner_url):
    migrate(owner_url)
    first = schema(owner_url)
    command.downgrade(config(owner_url), "base")
    left = {row[1] for row in schema(owner_url)}
    migrate(owner_url)

    assert left == {"alembic_version"}
    assert schema(owner_url) == first


def test_each_step_can_be_taken_back_alone(owner_url):
    migrate(owner_url)
    first = schema(owner_url)
    command.downgrade(config(owner_url), "-1")
    command.upgrade(config(owner_url), "head")

    assert schema(owner_url) == first
