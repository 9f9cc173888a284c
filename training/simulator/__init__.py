"""The parts of the simulated registry; every figure is in ``parameters.toml`` with its source."""
