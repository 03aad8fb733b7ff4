"""The order of an epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dnnfast import _core


def shuffle(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the permutation of ``n`` rows that an epoch with this seed and number uses.

    Rows are sorted, stably, by a Philox word of (seed, epoch, row).

    Raises:
        ValueError: if n is negative.

    Example:

    >>> sorted(shuffle(4, seed=1, epoch=0).tolist())
    [0, 1, 2, 3]
    """
    return _core.shuffle(n, seed, epoch)
