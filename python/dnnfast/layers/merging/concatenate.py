"""Tensors behind one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import ops, tracing
from dnnfast.layers.arguments import checked_axes
from dnnfast.layers.merging.merge import Merge, check_masks, several_inputs


class Concatenate(Merge):
    """Joins tensors along an axis.

    Args:
        axis: which one, batch axis included. Default -1.
        **kwargs: ``name``.

    Raises:
        ValueError: if the other axes differ, or there is no such axis, when called.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.Concatenate()([x, x]).shape
        (None, 6)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        tensors = several_inputs(self, inputs, 1)
        self.compute_output_shape([tensor.shape for tensor in tensors])
        (axis,) = checked_axes(self, self.axis, tensors[0].ndim)
        if axis and axis == tensors[0].ndim - 1 and all(tensor.batched for tensor in tensors):
            return tracing.emit("concatenate", tensors)
        return ops.concatenate(tensors, axis=axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for a list of input shapes (batch axis included)."""
        first = input_shape[0] if isinstance(input_shape, (list, tuple)) and input_shape else None
        if not isinstance(first, (list, tuple)):
            raise ValueError(
                f"Layer {self.name!r} (Concatenate) expects a list of tensors, got one of shape "
                f"{input_shape}."
            )
        (axis,) = checked_axes(self, self.axis, len(first))
        result = list(first)
        for shape in input_shape[1:]:
            fits = len(shape) == len(result) and all(
                m == n or None in (m, n) or i == axis
                for i, (m, n) in enumerate(zip(result, shape, strict=True))
            )
            if not fits:
                raise ValueError(
                    f"Layer {self.name!r} (Concatenate): inputs of shapes "
                    f"{', '.join(str(tuple(s)) for s in input_shape)} must agree in all but axis "
                    f"{axis}."
                )
            known = result[axis] is not None and shape[axis] is not None
            result[axis] = result[axis] + shape[axis] if known else None
        return tuple(result)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return where some element of the joined masks counts; None without masks."""
        if previous_mask is None:
            return None
        masks = check_masks(self, inputs, previous_mask)
        if all(mask is None for mask in masks):
            return None
        wide = []
        for x, mask in zip(inputs, masks, strict=True):
            ones = ops.ones_like(x, dtype="bool")
            if mask is None:
                wide.append(ones)
            elif len(mask.shape) < len(x.shape):
                wide.append(ops.logical_and(ops.expand_dims(mask, -1), ones))
            else:
                wide.append(mask)
        return ops.any(ops.concatenate(wide, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return tensors joined along an axis: ``Concatenate(axis, **kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.concatenate([x, x]).shape
        (None, 6)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
