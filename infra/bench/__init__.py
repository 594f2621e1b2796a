"""Timings, measured and printed; tests never assert them."""
