"""Public forms: what they are, and what may come in with them. Pure: no store, no requests."""
