"""Kruskal–Wallis for every element at once against `scipy.stats.kruskal` called for each: `python bench/kruskal.py`."""

from __future__ import annotations

import statistics
import time

import numpy as np
from common import table, write
from scipy import stats

from safeconvert.localize.kruskal import kruskal_p

ELEMENTS = 50_000
SCALAR = 1_000  # elements that the scalar form is timed on


def main() -> None:
    """Ratios of the time an element, in one run."""
    rows = []
    for count in (15, 100):
        random = np.random.default_rng(count)
        first, second = (random.normal(size=(count, ELEMENTS)).astype(np.float32) for _ in range(2))
        second[:, ::10] += 1
        first[:, ::7] = np.round(first[:, ::7])
        second[:, ::7] = np.round(second[:, ::7])
        times = []
        for _ in range(5):
            began = time.perf_counter()
            ours = kruskal_p(first, second)
            times.append((time.perf_counter() - began) / ELEMENTS)
        began = time.perf_counter()
        theirs = np.array([stats.kruskal(first[:, n], second[:, n]).pvalue for n in range(SCALAR)])
        scalar = (time.perf_counter() - began) / SCALAR
        vector = statistics.median(times)
        same = int(((ours[:SCALAR] < 0.05) == (theirs < 0.05)).sum())
        rows.append(
            (
                f"{count} + {count}",
                f"{scalar * 1e6:.1f}",
                f"{vector * 1e6:.2f}",
                f"{scalar / vector:.0f}",
                f"{same} / {SCALAR}",
            )
        )
    headers = ("inputs", "scipy an element, µs", "vectorised, µs", "times faster (bar: 100)", "same flags")
    write("kruskal", "Kruskal–Wallis by element", "python bench/kruskal.py", table(headers, rows))


if __name__ == "__main__":
    main()
