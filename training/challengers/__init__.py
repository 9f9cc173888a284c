"""Other classifiers that must beat the default to be taken."""
