"""Philox4x32-10, the counter-based generator behind dropout and shuffling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)


def philox(counter: tuple[ArrayLike, ...], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Return the four random words of each counter.

    Args:
        counter: four words of 32 bits each, numbers or arrays that broadcast together.
        key: two words of 32 bits.

    Returns:
        An array of shape ``(4, *broadcast shape)``.

    Formula: Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
    1, 2, 3" (SC 2011).

    Example:

    >>> [f"{word:08x}" for word in philox((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    k0, k1 = key
    for _ in range(10):
        product0 = c0 * _MULTIPLIERS[0]
        product1 = c2 * _MULTIPLIERS[1]
        c0 = (product1 >> _SHIFT) ^ c1 ^ np.uint64(k0)
        c1 = product1 & _LOW
        c2 = (product0 >> _SHIFT) ^ c3 ^ np.uint64(k1)
        c3 = product0 & _LOW
        k0 = (k0 + _WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3]).astype(np.uint32)


def split64(value: int) -> tuple[int, int]:
    """Return the low and the high 32 bits of a 64-bit number (negative ones wrap).

    Example:

    >>> split64(2**32 + 7)
    (7, 1)
    """
    value = int(value) & 0xFFFFFFFFFFFFFFFF
    return value & 0xFFFFFFFF, value >> 32
