"""The node types, one module each, by category. A module is named after its type."""
