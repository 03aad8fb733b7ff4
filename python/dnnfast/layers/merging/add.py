"""Sums of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import tracing
from dnnfast.layers.base import Layer
from dnnfast.layers.merging.merge import several_inputs


class Add(Layer):
    """Adds tensors of equal shapes, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes differ, when called.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.Add()([x, dnnfast.layers.Dense(3)(x)]).shape
        (None, 3)
    """

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        tensors = several_inputs(self, (inputs,), 2)
        shapes = [t.shape for t in tensors]
        if any(shape != shapes[0] for shape in shapes):
            raise ValueError(
                f"Layer {self.name!r} (Add): all inputs must have the same shape, got {shapes}."
            )
        return tracing.emit("add", tensors)


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of tensors: ``Add(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.add([x, x]).shape
        (None, 3)
    """
    return Add(**kwargs)(inputs)
