"""The order of the rows in an epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dnnfast.reference.philox import philox, split64

_STREAM = 0xFFFFFFFF  # dropout streams are numbered from 0


def shuffle(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the permutation of ``n`` rows for an epoch.

    Args:
        n: number of rows, at least 0.
        seed: 64 bits.
        epoch: 64 bits.

    Raises:
        ValueError: if ``n`` is negative.

    Formula: the stable arg-sort of ``key_i`` = word 0 of Philox with the counter
    ``(i mod 2^32, 0xFFFFFFFF, epoch_low, epoch_high ^ (i >> 32))`` and the seed as key.

    Example:

    >>> order = shuffle(5, seed=1, epoch=0)
    >>> sorted(order.tolist())
    [0, 1, 2, 3, 4]
    """
    if n < 0:
        raise ValueError(f"shuffle: n must be at least 0; got {n}")
    i = np.arange(n, dtype=np.uint64)
    epoch_low, epoch_high = split64(epoch)
    rest = np.uint64(epoch_high) ^ (i >> np.uint64(32))
    low = i & np.uint64(0xFFFFFFFF)
    key = philox((low, _STREAM, epoch_low, rest), split64(seed))[0]
    return np.argsort(key, kind="stable").astype(np.int64)
