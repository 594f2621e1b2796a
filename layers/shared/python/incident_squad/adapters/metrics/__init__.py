"""Metric sources: one module a vendor, all of them able to read and nothing else."""
