"""Figures of a series of timings."""

import statistics
from collections.abc import Sequence


def describe(what: str, seconds: Sequence[float]) -> str:
    """One line: how many, and median, 99th percentile and maximum in milliseconds."""
    ordered = sorted(1000 * s for s in seconds)
    at_99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return (
        f"{what:<48} n={len(ordered):<5} median {statistics.median(ordered):8.1f} ms   "
        f"p99 {at_99:8.1f} ms   max {ordered[-1]:8.1f} ms"
    )
