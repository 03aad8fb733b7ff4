"""Data sets in one file of NumPy arrays, split at random into a training and a test part."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dnnfast import checks
from dnnfast.datasets.files import Source, Split


def read(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Return arrays of a .npz file.

    Args:
        path: the file.
        names: of the arrays.

    Raises:
        ValueError: it is damaged or lacks one of them.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.npz")
    ...     np.savez(path, x=np.arange(3))
    ...     read(path, ["x"])
    [array([0, 1, 2])]
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is damaged or is not the official file ({error}); delete it to have it "
            "downloaded again"
        ) from None


def load_xy(source: Source, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the arrays x and y of the source's only file, or of the file at ``path``."""
    given = Path(path).expanduser()
    x, y = read(given if given.is_file() else source.paths()[0], ("x", "y"))
    if len(x) != len(y):
        raise ValueError(f"{source.title}: {len(x)} samples, but {len(y)} targets")
    return x, y


def split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> Split:
    """Return the samples in a random order, the last share of them to test on.

    Args:
        x: samples.
        y: targets.
        test_split: the share, in [0, 1).
        seed: of the order, which is that of Keras for the same seed.

    Raises:
        ValueError: the share is out of range.

    Example:

    >>> train, test = split(np.arange(10), np.arange(10), 0.2, seed=113)
    >>> len(train[0]), len(test[1])
    (8, 2)
    """
    share = checks.number("load_data", "test_split", test_split, 0.0)
    if share >= 1:
        raise ValueError(f"load_data: test_split must be in [0, 1), got {test_split!r}.")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    kept = math.trunc(len(x) * (1 - share))
    return (x[:kept].copy(), y[:kept].copy()), (x[kept:].copy(), y[kept:].copy())
