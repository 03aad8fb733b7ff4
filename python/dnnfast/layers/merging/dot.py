"""Products of the samples of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import ops
from dnnfast.layers.merging.merge import Merge, several_inputs
from dnnfast.random.seed import is_whole

_LETTERS = "bcdefghijklm"


class Dot(Merge):
    """Multiplies the samples of two tensors along an axis of each, and sums.

    Args:
        axes: the axis, or the axis of each of the two; not the batch axis 0.
        normalize: whether the inputs are first scaled to length 1 along the axis, so that the
            result for vectors is the cosine of their angle. Default False.
        **kwargs: ``name``.

    Raises:
        TypeError: if ``axes`` is neither an integer nor a list or tuple.
        ValueError: if an axis does not exist or is the batch axis, or the sizes differ.

    Formula: ``y[n, ..., ...] = sum_i a[n, ..., i, ...] * b[n, ..., i, ...]``: the axes left of the
    first come before those of the second; (batch, 1) where there are none.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Dot(axes=1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[11.0]]
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_whole(axes):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    f"Dot {self.name!r}: axes must be an integer or a list of two, got {axes!r}."
                )
            if len(axes) != 2 or not all(is_whole(axis) for axis in axes):
                raise ValueError(
                    f"Dot {self.name!r}: axes must be an integer or a list of two, got {axes!r}."
                )
        self.axes = axes
        self.normalize = bool(normalize)

    def _axes_for(self, shapes: Any) -> list[int]:
        """Return the axis of each input, counted from the front, or raise."""
        self._check_shapes(shapes)
        if len(shapes) != 2:
            raise ValueError(
                f"Layer {self.name!r} (Dot) expects exactly 2 inputs, got {len(shapes)}."
            )
        given: Any = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        found = []
        for axis, shape in zip(given, shapes, strict=True):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(
                    f"Layer {self.name!r} (Dot): axis {axis} is the batch axis or does not exist "
                    f"in an input of shape {tuple(shape)}."
                )
            found.append(axis % len(shape))
        sizes = [shape[axis] for axis, shape in zip(found, shapes, strict=True)]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Layer {self.name!r} (Dot): inputs of shapes {tuple(shapes[0])} and "
                f"{tuple(shapes[1])} have {sizes[0]} elements along axis {found[0]} and "
                f"{sizes[1]} along axis {found[1]}; they must be equal."
            )
        return found

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit."""
        self._axes_for(input_shape)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        a, b = several_inputs(self, inputs, 2)[:2]
        axes = self._axes_for([tensor.shape for tensor in inputs])
        if self.normalize:
            a, b = ops.normalize(a, axis=axes[0]), ops.normalize(b, axis=axes[1])
        letters = iter(_LETTERS)
        left, right = (["a", *(next(letters) for _ in range(t.ndim - 1))] for t in (a, b))
        right[axes[1]] = left[axes[0]]
        rest = [*left, *right[1:]]
        kept = [letter for letter in rest if letter != left[axes[0]]]
        y = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)
        return ops.expand_dims(y, -1) if len(kept) == 1 else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for two input shapes (batch axis included)."""
        axes = self._axes_for(input_shape)
        first, second = list(input_shape[0]), list(input_shape[1])
        del first[axes[0]], second[axes[1]]
        result = (*first, *second[1:])
        return (*result, 1) if len(result) == 1 else result

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return None: the steps of the inputs are gone."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Return the product of two tensors along axes: ``Dot(axes, **kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.dot([x, x], axes=1).shape
        (None, 1)
    """
    return Dot(axes=axes, **kwargs)(inputs)
