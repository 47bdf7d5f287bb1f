"""A third role that removes what belongs to one tenant, and why an execution has not started yet."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# As a member of oneo_app the role is bound by the policies of that one: it sees the rows of the tenant that is set.
# What it may do beyond holds for tables of later migrations, too, or these would keep rows of a removed tenant.
ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oneo_removal') THEN
        CREATE ROLE oneo_removal NOLOGIN;
    END IF;
    GRANT oneo_app TO oneo_removal;
    IF current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE format('GRANT oneo_removal TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    ELSE
        EXECUTE format('GRANT oneo_removal TO %I', current_user);
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO oneo_removal;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO oneo_removal;
REVOKE ALL ON alembic_version FROM oneo_removal;
GRANT UPDATE ON tenants, record_events TO oneo_removal;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, DELETE ON TABLES TO oneo_removal;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(ROLE)
    op.execute("ALTER TABLE executions ADD COLUMN postponed text")


def downgrade() -> None:
    """Undo all but the role, which other databases of the server may use."""
    op.execute("ALTER TABLE executions DROP COLUMN postponed")
    op.execute("""
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT, DELETE ON TABLES FROM oneo_removal;
        REVOKE ALL ON ALL TABLES IN SCHEMA public FROM oneo_removal;
        REVOKE ALL ON SCHEMA public FROM oneo_removal;
    """)
