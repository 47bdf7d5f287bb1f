"""Mailboxes that are read, and the files that come with mail."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = """
-- How far a folder was read: IMAP numbers its mails for as long as uid_validity is the same.
CREATE TABLE mail_state (
    tenant_id text NOT NULL REFERENCES tenants,
    mailbox text NOT NULL,
    folder text NOT NULL,
    uid_validity bigint NOT NULL,
    last_uid bigint NOT NULL,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, mailbox, folder)
);

CREATE TABLE mail_files (
    tenant_id text NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    event_id bigint NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES inbox (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_files_event ON mail_files (tenant_id, event_id);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON mail_state TO oneo_app;
GRANT SELECT, INSERT ON mail_files TO oneo_app;
GRANT SELECT ON mail_state, mail_files TO oneo_system;
-- An answer to a message is queued with the execution that the message starts.
GRANT INSERT ON notifications TO oneo_system;
"""

NEW = ("mail_state", "mail_files")


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
    """Undo."""
    for table in reversed(NEW):
        op.execute(f"DROP TABLE {table}")
    op.execute("REVOKE INSERT ON notifications FROM oneo_system")
