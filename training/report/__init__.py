"""The validation report: plain result files in, one self-contained page out."""
