"""Node types: data."""
