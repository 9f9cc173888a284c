"""What the model has to beat: simple rules, single values and published models, entered as data."""
