"""Inverted dropout with regenerated Philox bits: no mask is ever stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.philox import philox, split64

_COLUMN_PADDING = 16  # rows of activations are padded to a multiple of it: part of the numbering


def _check_rate(rate: float) -> float:
    rate = float(rate)
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"dropout: rate must be in [0, 1); got {rate}")
    return rate


def dropout_scale(rate: float) -> float:
    """Return what kept elements are multiplied by: ``1 / (1 - rate)`` rounded to float32.

    Example:

    >>> dropout_scale(0.5)
    2.0
    """
    return float(np.float32(1.0 / (1.0 - _check_rate(rate))))


def dropout_mask(
    rows: int, cols: int, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> NDArray[np.bool_]:
    """Return which elements of a matrix dropout keeps (True = kept).

    Args:
        rows: rows of the batch matrix.
        cols: columns of it.
        rate: probability of dropping, in [0, 1).
        seed: 64 bits.
        step: number of optimizer steps so far, 64 bits.
        stream: number of the dropout op in its model, 32 bits.

    Raises:
        ValueError: if the rate is outside [0, 1).

    Formula: element (r, c) is kept iff word ``r % 4`` of Philox with the counter
    ``((r // 4) * round_up(cols, 16) + c, stream, step_low, step_high)`` and the seed as key is at
    least ``floor(rate * 2^32)``.

    Example:

    >>> mask = dropout_mask(4, 100, rate=0.25, seed=7)
    >>> mask.shape, bool(0.6 < mask.mean() < 0.9)
    ((4, 100), True)
    """
    threshold = np.uint32(int(_check_rate(rate) * 2.0**32))
    padded = -(-cols // _COLUMN_PADDING) * _COLUMN_PADDING
    block = np.arange(-(-rows // 4), dtype=np.uint64)[:, None]
    q = (block * np.uint64(padded) + np.arange(cols, dtype=np.uint64)) & np.uint64(0xFFFFFFFF)
    words = philox((q, int(stream) & 0xFFFFFFFF, *split64(step)), split64(seed))
    by_row = words.transpose(1, 0, 2).reshape(-1, cols)
    return by_row[:rows] >= threshold


def _factors(x: NDArray[np.float64], rate: float, bits: tuple[int, int, int]) -> NDArray:
    cols = x.shape[-1] if x.ndim > 1 else 1
    rows = x.size // cols if cols else 0
    seed, step, stream = bits
    mask = dropout_mask(rows, cols, rate, seed, step, stream)
    return (mask * dropout_scale(rate)).reshape(x.shape)


def dropout_forward(
    x: ArrayLike, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> NDArray[np.float64]:
    """Return ``x`` with dropped elements zero and kept ones multiplied by ``1 / (1 - rate)``.

    Args:
        x: batch, the first axis counts samples; the last one is the columns.
        rate: probability of dropping, in [0, 1); 0 returns ``x``.
        seed: as in `dropout_mask`.
        step: as in `dropout_mask`.
        stream: as in `dropout_mask`.

    Raises:
        ValueError: if the rate is outside [0, 1).

    Formula: ``y = x * mask / (1 - rate)``; Srivastava et al., "Dropout" (JMLR 2014), inverted.

    Example:

    >>> sorted(set(dropout_forward(np.ones((8, 8)), 0.5, seed=1).ravel().tolist()))
    [0.0, 2.0]
    """
    x = np.asarray(x, dtype=np.float64)
    if _check_rate(rate) == 0.0:
        return x.copy()
    factors = _factors(x, rate, (seed, step, stream))
    return np.where(factors != 0.0, x * factors, 0.0)


def dropout_backward(
    dy: ArrayLike, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> NDArray[np.float64]:
    """Return the gradient through dropout: ``dx = dy * mask / (1 - rate)``.

    Args:
        dy: gradient of the output.
        rate: as in `dropout_forward`, like the rest.
        seed: as in `dropout_mask`.
        step: as in `dropout_mask`.
        stream: as in `dropout_mask`.

    Raises:
        ValueError: if the rate is outside [0, 1).

    Formula: that of `dropout_forward`, which is linear in ``x``.

    Example:

    >>> dropout_backward(np.ones((1, 3)), rate=0.0)
    array([[1., 1., 1.]])
    """
    return dropout_forward(dy, rate, seed, step, stream)
