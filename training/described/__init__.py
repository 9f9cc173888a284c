"""Sections of the results that describe: who the patients are, and how the model sees them."""
