"""Layers that change only the shape, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dnnfast import ops, symbolic, tracing
from dnnfast.layers.arguments import positive_int, shape_tuple, single_input
from dnnfast.layers.base import Layer
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.same_shape import SameShape
from dnnfast.random.seed import is_whole


class Flatten(Layer):
    """Makes a vector of each sample.

    Args:
        data_format: ``"channels_last"`` (default: the order in memory is kept) or
            ``"channels_first"``: the axis after the batch becomes the last one first.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if ``data_format`` is neither of the two.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Flatten()(dnnfast.Input((28, 28))).shape
        (None, 784)
    """

    _built_from_start = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f'Flatten {self.name!r}: data_format must be "channels_last" or "channels_first", '
                f"got {data_format!r}."
            )
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.transpose(x, (0, *range(2, x.ndim), 1))
        if x.ndim == 1:
            return symbolic.regroup(x, (*x.extents, 1))
        return tracing.emit("reshape", [x], {"shape": [-1]})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return (input_shape[0], math.prod(input_shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: without the batch axis; one size may be -1.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if a size is not allowed, or the number of elements differs.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Reshape((2, -1))(dnnfast.Input((6,))).shape
        (None, 2, 3)
    """

    _built_from_start = True

    def __init__(self, target_shape: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        target = shape_tuple(f"Reshape {self.name!r}: target_shape", target_shape)
        sizes = [-1 if size is None else size for size in target]
        if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
            raise ValueError(
                f"Reshape {self.name!r}: target_shape must have sizes of at least 0, and at most "
                f"one that is -1, got {target}."
            )
        self.target_shape = tuple(sizes)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        sample = self.compute_output_shape(x.shape)[1:]
        if x.ndim == 1 or not sample:
            return symbolic.regroup(x, (*x.extents[:1], *sample))
        return tracing.emit("reshape", [x], {"shape": list(sample)})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        count = math.prod(input_shape[1:])
        known = math.prod(size for size in self.target_shape if size >= 0)
        free = -1 in self.target_shape
        if known != count if not free else known == 0 or count % known:
            raise ValueError(
                f"Reshape {self.name!r}: samples of shape {tuple(input_shape[1:])} have {count} "
                f"elements, which do not fit into {self.target_shape}."
            )
        sizes = [count // known if size < 0 else size for size in self.target_shape]
        return (input_shape[0], *sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Changes the order of the axes of each sample.

    Args:
        dims: for each axis of the output the axis of the input, counted from 1; not the batch.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if ``dims`` does not hold each number from 1 on once.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Permute((2, 1))(dnnfast.Input((3, 4))).shape
        (None, 4, 3)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute {self.name!r}: dims must hold each of the numbers from 1 to the number "
                f"of axes once, got {self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        return ops.transpose(single_input(self, (inputs,)), (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return (input_shape[0], *(input_shape[dim] for dim in self.dims))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Repeats each sample, a vector, as steps.

    Args:
        n: how often, a positive integer.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        TypeError: if ``n`` is no integer.
        ValueError: if it is not positive.

    Formula: ``y[:, t] = x`` for t < n

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.RepeatVector(3)(dnnfast.Input((4,))).shape
        (None, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_whole(n):
            raise TypeError(f"RepeatVector {self.name!r}: n must be an integer, got {n!r}.")
        self.n = positive_int(f"RepeatVector {self.name!r}", "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        batch, size = x.extents
        return symbolic.view(x, (batch, self.n, size), (0, -1, 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "n": self.n}


class Identity(SameShape):
    """Returns its input, or inputs.

    Args:
        **kwargs: ``name``, ``input_shape``.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Identity()(dnnfast.Input((6,))).shape
        (None, 6)
    """

    _built_from_start = True

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs
