"""Events that were brought about once more, and finding those that are old enough to go."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = ("record_events", "inbox")


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE record_events ADD COLUMN replayed_from bigint")
    op.execute("GRANT INSERT ON record_events TO oneo_system")
    for table in TABLES:
        op.execute(
            f"CREATE INDEX {table}_handled ON {table} (tenant_id, handled_at)"
            " WHERE handled_at IS NOT NULL AND problem IS NULL"
        )


def downgrade() -> None:
    """Undo."""
    for table in TABLES:
        op.execute(f"DROP INDEX {table}_handled")
    op.execute("REVOKE INSERT ON record_events FROM oneo_system")
    op.execute("ALTER TABLE record_events DROP COLUMN replayed_from")
