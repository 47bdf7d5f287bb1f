"""Which events may start a workflow, and when: who is left alone, what is waited for, whose turn it is."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
-- Whom workflows leave alone; value: as `oneo.store.suppressions` spells it.
CREATE TABLE suppressions (
    tenant_id text NOT NULL REFERENCES tenants,
    list text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'phone', 'record', 'domain')),
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, list, kind, value)
);
CREATE INDEX suppressions_value ON suppressions (tenant_id, kind, value);

-- missing: what has to come before the gathered events start their execution; without it they never do.
ALTER TABLE gatherings ADD COLUMN missing text[] NOT NULL DEFAULT '{}';
-- held: waits for another execution of its workflow to end.
ALTER TABLE executions ADD COLUMN held boolean NOT NULL DEFAULT false;

CREATE INDEX executions_due_of ON executions (tenant_id, run_after, created_at) WHERE status = 'pending';
CREATE INDEX executions_open_of ON executions (tenant_id, workflow_id, created_at)
    WHERE status IN ('pending', 'running', 'waiting');
CREATE INDEX executions_lately ON executions (tenant_id, workflow_id, created_at);
CREATE INDEX executions_about ON executions (tenant_id, record_id, workflow_id) WHERE record_id IS NOT NULL;
CREATE INDEX active_triggers_on_workflows ON active_triggers (tenant_id)
    WHERE event_kinds @> ARRAY['workflow'];
"""

# The dispatcher archives what a trigger wants kept, and the history of that is written in its name.
GRANTS = """
GRANT SELECT, INSERT, DELETE ON suppressions TO oneo_app;
GRANT SELECT ON suppressions TO oneo_system;
GRANT UPDATE (archived_at) ON records TO oneo_system;
-- The triggers of records keep these, whoever writes.
GRANT INSERT ON record_events TO oneo_system;
GRANT INSERT, DELETE ON record_index, record_keys, record_unique_values TO oneo_system;
GRANT INSERT ON record_history TO oneo_system;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(GRANTS)
    mine = "tenant_id = nullif(current_setting('oneo.tenant', true), '')"
    op.execute("ALTER TABLE suppressions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE suppressions FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY one_tenant ON suppressions TO oneo_app USING ({mine}) WITH CHECK ({mine})")
    op.execute("CREATE POLICY all_tenants ON suppressions TO oneo_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Undo."""
    op.execute("""
        DROP TABLE suppressions;
        REVOKE UPDATE (archived_at) ON records FROM oneo_system;
        REVOKE INSERT ON record_events, record_history FROM oneo_system;
        REVOKE INSERT, DELETE ON record_index, record_keys, record_unique_values FROM oneo_system;
        DROP INDEX active_triggers_on_workflows, executions_due_of, executions_open_of, executions_lately,
            executions_about;
        ALTER TABLE executions DROP COLUMN held;
        ALTER TABLE gatherings DROP COLUMN missing;
    """)
