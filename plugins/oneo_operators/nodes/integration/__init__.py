"""Node types: integration."""
