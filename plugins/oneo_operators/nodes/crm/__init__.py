"""Node types: crm."""
