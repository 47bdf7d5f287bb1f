"""Node types: utility."""
