"""Changes of tables of tenants' own, read into record events."""
