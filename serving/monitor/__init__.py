"""What became of the model in use: drift, calibration in time, and what clinicians said to it."""
