"""The execution that set a moment which is due soon: what its event starts belongs to that execution's chain."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE timers ADD COLUMN execution_id uuid")


def downgrade() -> None:
    """Undo."""
    op.execute("ALTER TABLE timers DROP COLUMN execution_id")
