"""Large results by reference, the Airflow pool of a tenant, legal holds, and addresses taken out of documents."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
-- What is too large for a row stands in the object store; the row keeps the reference and a preview.
ALTER TABLE execution_log ADD COLUMN output_object jsonb, ADD COLUMN context_object jsonb;
ALTER TABLE executions ADD COLUMN output_object jsonb;

-- Noted once Airflow has it: tasks of a pool that Airflow does not know would wait for ever.
ALTER TABLE tenants ADD COLUMN pool text;
CREATE TRIGGER tenants_notify AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION notify_work('tenant');

CREATE TABLE legal_holds (
    tenant_id text NOT NULL REFERENCES tenants,
    kind text NOT NULL CHECK (kind IN ('tenant', 'record', 'email')),
    -- Id of the record, the address in lower case, or the tenant's id.
    subject text NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, subject)
);
ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON legal_holds TO oneo_app
    USING (tenant_id = nullif(current_setting('oneo.tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('oneo.tenant', true), ''));
CREATE POLICY all_tenants ON legal_holds TO oneo_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON legal_holds TO oneo_app;
GRANT SELECT ON legal_holds TO oneo_system;

-- A published version never changes, but that a person is taken out of it who asked for that.
GRANT UPDATE (document, published_by) ON workflow_versions TO oneo_removal;
GRANT UPDATE (reason, set_by) ON legal_holds TO oneo_removal;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Undo; what stands in the object store is not brought back."""
    op.execute("REVOKE UPDATE (document, published_by) ON workflow_versions FROM oneo_removal")
    op.execute("DROP TABLE legal_holds")
    op.execute("DROP TRIGGER tenants_notify ON tenants")
    op.execute("ALTER TABLE tenants DROP COLUMN pool")
    op.execute("ALTER TABLE executions DROP COLUMN output_object")
    op.execute("ALTER TABLE execution_log DROP COLUMN output_object, DROP COLUMN context_object")
