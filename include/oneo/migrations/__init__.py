"""Schema migrations of the oneo database (Alembic)."""
