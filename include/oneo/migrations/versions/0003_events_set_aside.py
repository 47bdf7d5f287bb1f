"""Events that cannot be handled are set aside with the reason, instead of holding up those behind them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE record_events ADD COLUMN problem text")


def downgrade() -> None:
    """Undo."""
    op.execute("ALTER TABLE record_events DROP COLUMN problem")
