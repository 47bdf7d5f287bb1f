"""Node types: workflow."""
