"""What is kept: tenants, records, workflows, executions. Every function works inside the session it is given."""
