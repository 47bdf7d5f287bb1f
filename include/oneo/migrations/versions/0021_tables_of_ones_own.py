"""Pipelines whose records are in a table of the tenant's own, and how far the changes of that table were read."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE pipelines ADD COLUMN source jsonb;

-- taken: the changes of the last batch, until they are gone from the table of changes.
CREATE TABLE source_readers (
    tenant_id text NOT NULL REFERENCES tenants,
    pipeline_id text NOT NULL,
    taken text[] NOT NULL DEFAULT '{}',
    seen_until timestamptz,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, pipeline_id),
    FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines ON DELETE CASCADE
);

-- Rows of polled tables as they were seen last: without them nobody could say what has changed.
CREATE TABLE source_rows (
    tenant_id text NOT NULL REFERENCES tenants,
    pipeline_id text NOT NULL,
    key text NOT NULL,
    image jsonb,
    execution_id uuid,
    PRIMARY KEY (tenant_id, pipeline_id, key),
    FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines ON DELETE CASCADE
);

-- Nodes about to commit in a database that keeps no account of it: after a crash nobody could say whether they did.
CREATE TABLE source_effects (
    tenant_id text NOT NULL REFERENCES tenants,
    execution_id uuid NOT NULL,
    effect text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, execution_id, effect)
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON source_readers, source_rows, source_effects TO oneo_app;
GRANT UPDATE ON source_rows TO oneo_removal;
GRANT SELECT ON source_readers, source_rows, source_effects TO oneo_system;
"""

NEW = ("source_readers", "source_rows", "source_effects")


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(GRANTS)
    for table in NEW:
        mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo; pipelines keep their fields, and have their records in our store."""
    for table in reversed(NEW):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE pipelines DROP COLUMN source")
