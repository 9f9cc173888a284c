"""From a registry to a validated model: cohort, validation, tracking, report, simulation."""
