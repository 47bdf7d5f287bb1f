"""Forms, the links that lead to them, and the files that came with them.

Of a link's token only the hash is kept. `state_key` signs what a page hands out with the form, so that a sender can
neither invent when the page was opened nor use another link's.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = """
-- json, not jsonb: fields are shown in the order in which their author wrote them.
CREATE TABLE forms (
    tenant_id text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    name text NOT NULL,
    schema json NOT NULL,
    ui json NOT NULL,
    settings json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE form_links (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    form_id text NOT NULL,
    hash text NOT NULL UNIQUE,
    state_key bytea NOT NULL,
    record_id uuid,
    prefill jsonb NOT NULL DEFAULT '{}',
    redirect_url text,
    single_use boolean NOT NULL,
    tracked boolean NOT NULL,
    execution_id uuid,
    node_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    opened_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, form_id) REFERENCES forms
);
CREATE INDEX form_links_form ON form_links (tenant_id, form_id, created_at);
CREATE INDEX form_links_record ON form_links (tenant_id, record_id) WHERE record_id IS NOT NULL;

CREATE TABLE form_files (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    form_id text NOT NULL,
    submission_id uuid NOT NULL,
    record_id uuid,
    field text NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, form_id) REFERENCES forms
);
CREATE INDEX form_files_submission ON form_files (tenant_id, submission_id);

GRANT SELECT, INSERT, UPDATE ON forms TO oneo_app;
GRANT SELECT, INSERT ON form_links, form_files TO oneo_app;
GRANT UPDATE (opened_at, used_at, revoked_at) ON form_links TO oneo_app;
GRANT SELECT ON forms, form_links, form_files TO oneo_system;
"""

NEW = ("forms", "form_links", "form_files")


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
    for table in reversed(NEW):
        op.execute(f"DROP TABLE {table}")
