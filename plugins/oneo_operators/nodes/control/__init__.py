"""Node types: control."""
