"""The global seed, from which initial weights, shuffles and dropout draw theirs."""

from __future__ import annotations

import secrets

import numpy as np

_MASK = (1 << 64) - 1


class _Source:
    """A sequence of 64-bit seeds: number ``count`` of the sequence named by ``seed``."""

    def __init__(self) -> None:
        self.seed = secrets.randbits(64)
        self.count = 0


_source = _Source()


def set_seed(seed: int) -> None:
    """Set the seed of every random choice dnnfast makes from now on.

    Args:
        seed: an integer; the same one gives the same weights, shuffles and dropout masks, on every
            device and for any number of threads.

    Raises:
        ValueError: if ``seed`` is not an integer.

    Example:
        >>> import dnnfast
        >>> dnnfast.random.set_seed(42)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"set_seed: expected an integer, got {seed!r}.")
    _source.seed = int(seed) & _MASK
    _source.count = 0


def next_seed() -> int:
    """Return the next 64-bit seed of the global sequence."""
    sequence = np.random.SeedSequence(entropy=_source.seed, spawn_key=(_source.count,))
    _source.count += 1
    return int(sequence.generate_state(1, np.uint64)[0])


def generator(seed: int | None = None) -> np.random.Generator:
    """Return a NumPy generator (Philox) for ``seed``, or for the next global seed.

    Args:
        seed: an integer, or None for the next of the global sequence.
    """
    return np.random.Generator(np.random.Philox(next_seed() if seed is None else int(seed) & _MASK))
