"""The results of a run as a schema: what is in them, how they are read, and the same as tables."""
