"""Approvals that people decide about, all records of a batch's execution, and how far a notification has got."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

APPROVALS = """
-- key: whoever asks again under the same one finds what was asked before.
-- assignees: people, and `role:` with a type of user.
CREATE TABLE approvals (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    key text NOT NULL,
    execution_id uuid,
    node_id text,
    record_id uuid,
    title text NOT NULL,
    description text NOT NULL,
    assignees text[] NOT NULL CHECK (cardinality(assignees) > 0),
    options jsonb NOT NULL,
    comment_required boolean NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'decided', 'expired', 'cancelled')),
    decision text,
    comment text,
    decided_by text,
    decided_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key),
    CHECK ((status = 'decided') = (decision IS NOT NULL)),
    CHECK ((status = 'pending') = (decided_at IS NULL))
);
CREATE INDEX approvals_newest ON approvals (tenant_id, created_at);
CREATE INDEX approvals_expiring ON approvals (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
CREATE INDEX approvals_record ON approvals (tenant_id, record_id) WHERE record_id IS NOT NULL;
ALTER TABLE approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON approvals TO oneo_app
    USING (tenant_id = nullif(current_setting('oneo.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('oneo.tenant', true), ''));
CREATE POLICY all_tenants ON approvals TO oneo_system USING (true) WITH CHECK (true);

GRANT SELECT, INSERT ON approvals TO oneo_app;
GRANT UPDATE (status, decision, comment, decided_by, decided_at) ON approvals TO oneo_app;
GRANT SELECT ON approvals TO oneo_system;
GRANT UPDATE (status, decided_at) ON approvals TO oneo_system;
GRANT UPDATE ON approvals TO oneo_removal;
"""


# The records of all events that an execution was gathered from.
EXECUTIONS = """
ALTER TABLE executions ADD COLUMN record_ids uuid[];
CREATE INDEX executions_about_many ON executions USING gin (record_ids) WHERE record_ids IS NOT NULL;
"""

# tried_at: when the last attempt to send it began; reference: what its channel calls it; problem: why it has not gone
# out, or may not have.
NOTIFICATIONS = """
ALTER TABLE notifications
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN tried_at timestamptz,
    ADD COLUMN reference text,
    ADD COLUMN problem text;
CREATE INDEX notifications_outgoing ON notifications (channel, tenant_id, created_at)
    WHERE status IN ('queued', 'sending');
CREATE INDEX notifications_newest ON notifications (tenant_id, created_at);
GRANT UPDATE (attempts, tried_at, due_at, reference, problem) ON notifications TO oneo_system;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(APPROVALS)
    op.execute(EXECUTIONS)
    op.execute(NOTIFICATIONS)


def downgrade() -> None:
    """Undo."""
    op.execute("""
        REVOKE UPDATE (due_at) ON notifications FROM oneo_system;
        DROP INDEX notifications_newest, notifications_outgoing;
        ALTER TABLE notifications
            DROP COLUMN attempts, DROP COLUMN tried_at, DROP COLUMN reference, DROP COLUMN problem;
    """)
    op.execute("ALTER TABLE executions DROP COLUMN record_ids")
    op.execute("DROP TABLE approvals")
