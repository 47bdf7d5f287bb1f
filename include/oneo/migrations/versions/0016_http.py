"""Keys to the API, and what hooks refused.

A hook's refusals are counted, one row for each reason: whoever sends a million bad requests fills no table.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE api_tokens (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    name text NOT NULL,
    hash text NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE hook_refusals (
    tenant_id text NOT NULL REFERENCES tenants,
    path text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    count bigint NOT NULL,
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, path, code)
);

-- The last events of a hook, or of a name.
CREATE INDEX inbox_topic ON inbox (tenant_id, kind, topic, id);

GRANT SELECT, INSERT ON api_tokens TO oneo_app;
GRANT UPDATE (revoked_at) ON api_tokens TO oneo_app;
GRANT SELECT ON api_tokens TO oneo_system;
GRANT UPDATE (last_used_at) ON api_tokens TO oneo_system;
GRANT SELECT, INSERT, UPDATE ON hook_refusals TO oneo_app;
GRANT SELECT ON hook_refusals TO oneo_system;
"""

NEW = ("api_tokens", "hook_refusals")


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    for table in NEW:
        mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_tenant ON {table} TO oneo_app USING ({mine}) WITH CHECK ({mine})")
        op.execute(f"CREATE POLICY all_tenants ON {table} TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo."""
    op.execute("DROP INDEX inbox_topic")
    for table in NEW:
        op.execute(f"DROP TABLE {table}")
