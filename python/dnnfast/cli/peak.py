"""The measured peak: the most that matrix products have reached on this machine."""

from __future__ import annotations

import time

import numpy as np

from dnnfast import engine

_SIZE = 1024
_RUNS = 15


def peak_gflops(blas: bool = True) -> float:
    """Return the best float32 rate seen in GFLOP/s: of our own product or of NumPy's BLAS.

    Args:
        blas: whether to try BLAS too; it uses the number of threads it was loaded with, whatever
            `dnnfast.config.set_threads` says.

    Example:
        >>> peak_gflops() > 0
        True
    """
    native = max(float(engine.native().measure_peak()["gflops"]) for _ in range(2))
    return max(native, _blas_gflops()) if blas else native


def _blas_gflops() -> float:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((_SIZE, _SIZE), np.float32) for _ in range(2))
    out = np.empty_like(a)
    best = float("inf")
    # The best run, not the median: a peak is what the machine does when nothing disturbs it.
    for _ in range(_RUNS):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        best = min(best, time.perf_counter() - start)
    return 2.0 * _SIZE**3 / best / 1e9
