"""Sums of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import ops, tracing
from dnnfast.layers.merging.merge import Merge


class Add(Merge):
    """Adds tensors, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes do not fit, when called.

    Formula: ``y = a + b + ...``; sizes of 1 are repeated

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.Add()([x, dnnfast.layers.Dense(3)(x)]).shape
        (None, 3)
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        same = all(tensor.extents == tensors[0].extents for tensor in tensors)
        if same and len(tensors) > 1 and tensors[0].batched:
            return tracing.emit("add", tensors)
        total = tensors[0]
        for tensor in tensors[1:]:
            total = ops.add(total, tensor)
        return total


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of tensors: ``Add(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.add([x, x]).shape
        (None, 3)
    """
    return Add(**kwargs)(inputs)
