"""Executions inside executions: which one and which of its nodes asked for it, how deep it stands, and for whom."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE executions
            ADD COLUMN parent_execution_id uuid,
            ADD COLUMN parent_node text,
            ADD COLUMN depth integer NOT NULL DEFAULT 0,
            ADD COLUMN started_by text
    """)
    op.execute("""
        CREATE INDEX executions_parent ON executions (tenant_id, parent_execution_id)
            WHERE parent_execution_id IS NOT NULL
    """)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP INDEX executions_parent")
    op.execute("""
        ALTER TABLE executions
            DROP COLUMN parent_execution_id,
            DROP COLUMN parent_node,
            DROP COLUMN depth,
            DROP COLUMN started_by
    """)
