"""Two parts of one data set."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from dnnfast import tree


def _size(name: str, value: Any, total: int) -> int | None:
    """Return a number of samples from a number or a share of them."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"split_dataset: {name} must be an int, a float or None, got {value!r}.")
    whole = isinstance(value, int)
    if not 0 < value < (total if whole else 1):
        bounds = f"1 to {total - 1}" if whole else "in (0, 1)"
        raise ValueError(f"split_dataset: {name} must be {bounds}, got {value!r}.")
    return value if isinstance(value, int) else round(value * total)


def _sizes(left_size: Any, right_size: Any, total: int) -> tuple[int, int]:
    if left_size is None and right_size is None:
        raise ValueError("split_dataset: give left_size, right_size or both.")
    left, right = _size("left_size", left_size, total), _size("right_size", right_size, total)
    left = total - right if left is None and right is not None else left
    right = total - left if right is None and left is not None else right
    assert left is not None and right is not None
    shares = isinstance(left_size, float) and isinstance(right_size, float)
    if left + right > total or (shares and left_size + right_size > 1):
        raise ValueError(
            f"split_dataset: left_size={left_size} and right_size={right_size} are more than the "
            f"{total} samples."
        )
    if not left or not right:
        raise ValueError(
            f"split_dataset: {total} samples leave none for one part with left_size={left_size} "
            f"and right_size={right_size}."
        )
    return left, right


def split_dataset(
    dataset: Any,
    left_size: int | float | None = None,
    right_size: int | float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: Any = None,
) -> tuple[Any, Any]:
    """Split arrays into a left part from their begin and a right part from their end.

    Args:
        dataset: an array, or a list, tuple or dict of arrays with the same number of samples; or
            something with ``len`` and items (as a PyTorch data set), whose parts are lists.
        left_size: number of samples, or a share of them in (0, 1); default the rest.
        right_size: the same for the right part.
        shuffle: whether to shuffle the samples first. Default False.
        seed: of the shuffling; default a random one.
        preferred_backend: ignored: parts are arrays, as the whole.

    Returns:
        Two data sets of the same form.

    Raises:
        ValueError: if sizes or numbers of samples do not fit.
        TypeError: if the data set is of no such form.

    Example:
        >>> import dnnfast, numpy
        >>> left, right = dnnfast.utils.split_dataset(numpy.arange(10), left_size=0.8)
        >>> left.tolist(), right.tolist()
        ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])
    """
    arrays = isinstance(dataset, np.ndarray) or (
        tree.is_nested(dataset) and all(hasattr(a, "shape") for a in tree.flatten(dataset))
    )
    if not arrays and not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise TypeError(
            "split_dataset: expected arrays, or something with a length and items, got "
            f"{type(dataset).__name__}."
        )
    lengths = {len(leaf) for leaf in tree.flatten(dataset)} if arrays else {len(dataset)}
    if len(lengths) != 1:
        raise ValueError(
            f"split_dataset: the arrays have different lengths: {sorted(lengths)}."
            if lengths
            else "split_dataset: the data set is empty."
        )
    total = lengths.pop()
    left, right = _sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        python_random.Random(seed).shuffle(order)

    def part(rows: list[int], begin: int) -> Any:
        if not arrays:
            return [dataset[i] for i in rows]
        # Unshuffled parts are views.
        chosen: Any = rows if shuffle else slice(begin, begin + len(rows))
        return tree.map_structure(lambda array: array[chosen], dataset)

    return part(order[:left], 0), part(order[total - right :], total - right)
