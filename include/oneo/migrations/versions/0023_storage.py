"""What a tenant keeps: a figure that is taken from time to time, and what was written since."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = """
-- Bytes by kind, and when they were counted.
ALTER TABLE tenants ADD COLUMN storage jsonb NOT NULL DEFAULT '{}', ADD COLUMN storage_measured_at timestamptz;

-- Rows of their own, so that nobody who writes waits for another; they go with the next figure.
CREATE TABLE storage_written (
    tenant_id text NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE storage_written ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage_written FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON storage_written TO oneo_app
    USING (tenant_id = nullif(current_setting('oneo.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('oneo.tenant', true), ''));
CREATE POLICY all_tenants ON storage_written TO oneo_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON storage_written TO oneo_app;
GRANT SELECT ON storage_written TO oneo_system;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TABLE storage_written")
    op.execute("ALTER TABLE tenants DROP COLUMN storage, DROP COLUMN storage_measured_at")
