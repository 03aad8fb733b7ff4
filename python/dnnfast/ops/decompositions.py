"""Decompositions, inverses and determinants of matrices: on arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.values import array, dtype_of, floating, shown, unsupported

ADVICE = "Compute it on weights or data outside of the model."


def matrix(name: str, x: Any, square_: bool = False) -> np.ndarray:
    """Return a float array of matrices, or raise."""
    if symbolic.is_symbolic(x):
        raise unsupported(name, ADVICE)
    values: np.ndarray = array(x, floating(dtype_of(x)))
    if values.ndim < 2:
        raise ValueError(
            f"Expected input to have rank >= 2. Received input with shape {values.shape}."
        )
    if square_ and values.shape[-1] != values.shape[-2]:
        raise ValueError(f"{name}: expected square matrices, got shape {shown(values.shape)}.")
    return values


def cholesky(x: Any, upper: bool = False) -> Any:
    """Cholesky factor of positive definite matrices; on arrays only.

    Args:
        x: symmetric matrices.
        upper: whether the upper triangular factor is returned. Default False.

    Raises:
        ValueError: if a matrix is not square or not positive definite.
        NotImplementedError: for a symbolic tensor.

    Formula: ``x = L L^T``, or ``U^T U``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cholesky([[4.0, 2.0], [2.0, 5.0]]))
        [[2. 0.]
         [1. 2.]]
    """
    values = matrix("cholesky", x, True)
    try:
        factor = np.linalg.cholesky(values)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"Cholesky decomposition failed: {error}.") from None
    return np.swapaxes(factor, -1, -2).copy() if upper else factor


def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """Inverse of a matrix, from its Cholesky factor; on arrays only.

    Args:
        x: the triangular factor.
        upper: whether it is the upper one. Default False.

    Raises:
        ValueError: if the matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Formula: ``(L L^T)^-1``, or ``(U^T U)^-1``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cholesky_inverse([[2.0, 0.0], [0.0, 4.0]]))
        [[0.25   0.    ]
         [0.     0.0625]]
    """
    values = matrix("cholesky_inverse", x, True)
    factor = np.triu(values) if upper else np.tril(values)
    inverse = np.linalg.inv(factor)
    other = np.swapaxes(inverse, -1, -2)
    return inverse @ other if upper else other @ inverse


def det(x: Any) -> Any:
    """Determinants of square matrices; on arrays only.

    Args:
        x: the matrices.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.det([[2.0, 0.0], [0.0, 4.0]]))
        8.0
    """
    return np.asarray(np.linalg.det(matrix("det", x, True)))


def slogdet(x: Any) -> tuple[Any, Any]:
    """Sign and logarithm of the absolute value of determinants; on arrays only.

    Args:
        x: square matrices.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> sign, logarithm = dnnfast.ops.slogdet([[2.0, 0.0], [0.0, 4.0]])
        >>> print(sign, logarithm.round(3))
        1.0 2.079
    """
    sign, logarithm = np.linalg.slogdet(matrix("slogdet", x, True))
    return np.asarray(sign), np.asarray(logarithm)


def logdet(x: Any) -> Any:
    """Logarithm of the determinants of positive definite matrices; on arrays only.

    Args:
        x: square matrices; others give NaN.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.logdet([[2.0, 0.0], [0.0, 4.0]]).round(3))
        2.079
    """
    sign, logarithm = np.linalg.slogdet(matrix("logdet", x, True))
    return np.asarray(np.where(sign > 0, logarithm, np.nan)).astype(np.asarray(logarithm).dtype)


def eig(x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors (columns) of square matrices, complex; on arrays only.

    Args:
        x: the matrices.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> values, vectors = dnnfast.ops.eig([[2.0, 0.0], [0.0, 4.0]])
        >>> print(values.real)
        [2. 4.]
    """
    values, vectors = np.linalg.eig(matrix("eig", x, True))
    return values.astype(np.complex64), vectors.astype(np.complex64)


def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices; on arrays only.

    Args:
        x: the matrices.

    Raises:
        ValueError: if a matrix is not square.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> values, vectors = dnnfast.ops.eigh([[2.0, 0.0], [0.0, 4.0]])
        >>> print(values)
        [2. 4.]
    """
    values, vectors = np.linalg.eigh(matrix("eigh", x, True))
    return values, vectors


def inv(x: Any) -> Any:
    """Inverses of square matrices; on arrays only.

    Args:
        x: the matrices.

    Raises:
        ValueError: if a matrix is not square, or has no inverse.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.inv([[2.0, 0.0], [0.0, 4.0]]))
        [[0.5  0.  ]
         [0.   0.25]]
    """
    return np.linalg.inv(matrix("inv", x, True))


def pinv(x: Any, rcond: float | None = None) -> Any:
    """Pseudo-inverses of matrices (Moore and Penrose); on arrays only.

    Args:
        x: the matrices.
        rcond: singular values below this share of the largest one count as 0. Default
            10 max(rows, columns) times the precision.

    Raises:
        ValueError: if x has fewer than 2 axes.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.pinv([[2.0, 0.0], [0.0, 0.0]]))
        [[0.5 0. ]
         [0.  0. ]]
    """
    values = matrix("pinv", x)
    if rcond is None:
        rows, columns = values.shape[-2:]
        rcond = 10.0 * float(rows if rows > columns else columns) * np.finfo(values.dtype).eps
    return np.linalg.pinv(values, rcond)


def matrix_rank(x: Any, tol: float | None = None) -> Any:
    """Ranks of matrices (int32); on arrays only.

    Args:
        x: the matrices.
        tol: singular values up to this count as 0. Default the largest one times max(rows, columns)
            times the precision.

    Raises:
        ValueError: if x has fewer than 2 axes.
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    return np.asarray(np.linalg.matrix_rank(matrix("matrix_rank", x), tol)).astype("int32")


def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """QR decompositions of matrices; on arrays only.

    Args:
        x: the matrices.
        mode: ``"reduced"`` (the default) or ``"complete"``.

    Raises:
        ValueError: if there is no such mode, or x has fewer than 2 axes.
        NotImplementedError: for a symbolic tensor.

    Formula: ``x = Q R``, Q with orthonormal columns, R upper triangular

    Example:
        >>> import dnnfast
        >>> q, r = dnnfast.ops.qr([[2.0, 0.0], [0.0, 4.0]])
        >>> print((q @ r).round(3))
        [[2. 0.]
         [0. 4.]]
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', got {mode!r}.")
    made: Any = np.linalg.qr(matrix("qr", x), mode)  # type: ignore[call-overload]
    return made[0], made[1]


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decompositions of matrices; on arrays only.

    Args:
        x: the matrices.
        full_matrices: whether u and v are square. Default True.
        compute_uv: whether u and v are returned. Default True.

    Raises:
        ValueError: if x has fewer than 2 axes.
        NotImplementedError: for a symbolic tensor.

    Formula: ``x = u diag(s) v``, with s in descending order

    Example:
        >>> import dnnfast
        >>> u, s, v = dnnfast.ops.svd([[2.0, 0.0], [0.0, 4.0]])
        >>> print(s)
        [4. 2.]
    """
    made: Any = np.linalg.svd
    found = made(matrix("svd", x), full_matrices, compute_uv)
    return tuple(found) if compute_uv else found
