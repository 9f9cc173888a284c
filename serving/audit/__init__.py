"""The audit log: who asked when, of which model, with what input, and what was answered."""
