"""Everything that says how far the risk can be believed: one module per kind of validation."""
