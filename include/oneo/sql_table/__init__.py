"""Records in a table of the tenant's own, on any PostgreSQL."""
