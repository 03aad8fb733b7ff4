"""Linear systems: on arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.decompositions import ADVICE, matrix
from dnnfast.ops.values import array, dtype_of, floating, unsupported


def solve(a: Any, b: Any) -> Any:
    """Solutions of linear systems; on arrays only.

    Args:
        a: square matrices.
        b: right-hand sides: a vector for each matrix, or matrices of columns.

    Raises:
        ValueError: if a matrix is not square, or singular.
        NotImplementedError: for a symbolic tensor.

    Formula: ``a x = b``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]))
        [1.  0.5]
    """
    if symbolic.is_symbolic(b):
        raise unsupported("solve", ADVICE)
    matrices, right = matrix("solve", a, True), array(b, floating(dtype_of(b)))
    if right.ndim == matrices.ndim - 1:
        return np.linalg.solve(matrices, right[..., None])[..., 0]
    return np.linalg.solve(matrices, right)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """Solutions of triangular linear systems; on arrays only.

    Args:
        a: square matrices, of which one triangle is read.
        b: right-hand sides: a vector for each matrix, or matrices of columns.
        lower: whether the lower triangle is read. Default False.

    Raises:
        ValueError: if a matrix is not square, or singular.
        NotImplementedError: for a symbolic tensor.

    Formula: ``a x = b``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.solve_triangular([[2.0, 9.0], [0.0, 4.0]], [11.0, 4.0]))
        [1. 1.]
    """
    values = matrix("solve_triangular", a, True)
    return solve(np.tril(values) if lower else np.triu(values), b)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """Solution of a linear system with the least sum of squared errors; on arrays only.

    Args:
        a: a matrix.
        b: the right-hand side: a vector, or a matrix of columns.
        rcond: singular values below this share of the largest one count as 0. Default the
            precision.

    Raises:
        ValueError: if the shapes do not fit.
        NotImplementedError: for a symbolic tensor.

    Formula: the x with the least ``||a x - b||``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.lstsq([[1.0], [1.0]], [1.0, 3.0]).round(3))
        [2.]
    """
    if symbolic.is_symbolic(b):
        raise unsupported("lstsq", ADVICE)
    left, right = matrix("lstsq", a), array(b, floating(dtype_of(b)))
    return np.asarray(np.linalg.lstsq(left, right, rcond)[0])


def lu_factor(x: Any) -> tuple[Any, Any]:
    """LU decompositions of square matrices with partial pivoting; on arrays only.

    Args:
        x: the matrices.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Returns the factors in one matrix (L below the diagonal, of which the ones are left out, U at
    and above it) and for each row the one with which it was exchanged (int32).

    Example:
        >>> import dnnfast
        >>> factors, pivots = dnnfast.ops.lu_factor([[1.0, 2.0], [2.0, 2.0]])
        >>> print(factors, pivots)
        [[2.  2. ]
         [0.5 1. ]] [1 1]
    """
    values = matrix("lu_factor", x, True)
    lu = values.reshape(-1, *values.shape[-2:]).astype(np.float64)
    count, size = lu.shape[:2]
    pivots = np.zeros((count, size), np.int32)
    every = np.arange(count)
    with np.errstate(all="ignore"):
        for j in range(size):
            rows = j + np.argmax(np.abs(lu[:, j:, j]), axis=1)
            pivots[:, j] = rows
            lu[every, j], lu[every, rows] = lu[every, rows], lu[every, j].copy()
            divisor = np.where(lu[:, j, j] == 0, 1.0, lu[:, j, j])
            lu[:, j + 1 :, j] /= divisor[:, None]
            lu[:, j + 1 :, j + 1 :] -= lu[:, j + 1 :, j, None] * lu[:, None, j, j + 1 :]
    return lu.reshape(values.shape).astype(values.dtype), pivots.reshape(values.shape[:-1])
