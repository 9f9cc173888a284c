"""From a registry to features: tables, checks, units, the as-of view, eGFR."""
