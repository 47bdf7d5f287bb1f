"""Node types: triggers."""
