"""The global seed, from which initial weights, shuffles and dropout draw theirs."""

from __future__ import annotations

import contextlib
import contextvars
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

_MASK = (1 << 64) - 1


class _Source:
    """A sequence of 64-bit seeds: number ``count`` of the sequence named by ``seed``."""

    def __init__(self, seed: int) -> None:
        self.seed = seed & _MASK
        self.count = 0


_global = _Source(secrets.randbits(64))
# That of `seeded`, for the thread that is inside of it.
_inside: contextvars.ContextVar[_Source | None] = contextvars.ContextVar("seeds", default=None)


def _source() -> _Source:
    return _inside.get() or _global


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
    if not is_whole(seed):
        raise ValueError(f"set_seed: expected an integer, got {seed!r}.")
    source = _source()
    source.seed, source.count = int(seed) & _MASK, 0


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from the sequence of a seed inside, and go on with the global one afterwards."""
    token = _inside.set(_Source(seed))
    try:
        yield
    finally:
        _inside.reset(token)


def state() -> list[int]:
    """Return where the global sequence stands."""
    source = _source()
    return [source.seed, source.count]


def go_to(state: list[int]) -> None:
    """Let the global sequence go on from what `state` returned."""
    source = _source()
    source.seed, source.count = state


def is_whole(value: Any) -> bool:
    """Tell whether a value is an integer (and no truth value)."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def next_seed() -> int:
    """Return the next 64-bit seed of the global sequence."""
    source = _source()
    sequence = np.random.SeedSequence(entropy=source.seed, spawn_key=(source.count,))
    source.count += 1
    return int(sequence.generate_state(1, np.uint64)[0])


def generator(seed: Any = None) -> np.random.Generator:
    """Return a NumPy generator (Philox).

    Args:
        seed: an integer; a `SeedGenerator`, which moves on; or None for the next of the global
            sequence. An integer and the first draw of its `SeedGenerator` give the same numbers.

    Raises:
        ValueError: if it is none of these.
    """
    if seed is None:
        return np.random.Generator(np.random.Philox(next_seed()))
    if is_whole(seed):
        return np.random.Generator(np.random.Philox(int(seed) & _MASK))
    if not hasattr(seed, "next") or not hasattr(seed, "state"):
        raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}.")
    start, count = (int(number) for number in seed.next())
    if count == 0:
        return np.random.Generator(np.random.Philox(start))
    sequence = np.random.SeedSequence(entropy=start, spawn_key=(count,))
    return np.random.Generator(np.random.Philox(sequence))
