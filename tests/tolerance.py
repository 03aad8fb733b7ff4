"""How far float32 results may lie from the float64 reference: one place, no local exceptions.

The error of a sum of ``n`` float32 products in a fixed order grows at worst with n, in practice
with its square root; the bounds below are normwise, ``||out - ref|| / ||ref||``.
"""

from __future__ import annotations

import math

import numpy as np

EPSILON = float(np.finfo(np.float32).eps)  # 1.19e-7


def bound(reduction: int = 1, operations: int = 4) -> float:
    """Return the bound for results of ``operations`` roundings and a sum of ``reduction`` terms."""
    return EPSILON * (operations + 2.0 * math.sqrt(reduction))


def relative_error(
    out: np.ndarray, reference: np.ndarray, scale: np.ndarray | None = None
) -> float:
    """Return ``||out - reference|| / ||scale||`` (absolute where the scale is zero).

    ``scale`` is the reference, or, for a result that is a small difference of large terms, the
    largest of these terms.
    """
    out, reference = np.asarray(out, np.float64), np.asarray(reference, np.float64)
    assert out.shape == reference.shape, f"shapes {out.shape} and {reference.shape}"
    error = np.linalg.norm(out - reference)
    size = np.linalg.norm(reference if scale is None else scale)
    return float(error / size) if size > 0 else float(error)


def assert_close(
    out: np.ndarray, reference: np.ndarray, limit: float, scale: np.ndarray | None = None
) -> None:
    """Fail if the normwise error is over ``limit`` or NaN stands where it should not."""
    assert np.array_equal(np.isnan(out), np.isnan(reference)), "NaN in different places"
    error = relative_error(out, reference, scale)
    assert error <= limit, f"relative error {error:.3g} is over {limit:.3g}"
