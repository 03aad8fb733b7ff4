"""One seed for everything."""

from __future__ import annotations

import random as python_random

import numpy as np

from dnnfast import random


def set_random_seed(seed: int) -> None:
    """Seed Python's and NumPy's generators and dnnfast's own.

    Args:
        seed: an integer in [0, 2^32).

    Raises:
        ValueError: if it is not.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.set_random_seed(42)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: expected an integer in [0, 2**32), got {seed!r}.")
    python_random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 (users draw from it)
    random.set_seed(int(seed))
