"""Inputs of mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.config import settings
from dnnfast.layers.arguments import checked_axes, float_input
from dnnfast.layers.preprocessing.batches import batches_of
from dnnfast.layers.same_shape import SameShape
from dnnfast.random.seed import is_whole


class Normalization(SameShape):
    """Shifts and scales inputs by a mean and a variance that are given, or learnt by `adapt`.

    Args:
        axis: the axis, or several, whose elements have a mean and variance of their own; None:
            one for all. Default -1.
        mean: given means, or None to learn them.
        variance: given variances; both or neither must be given.
        invert: whether to undo it: from scaled inputs to the original ones. Default False.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if only one of mean and variance is given, or their shapes differ or do not fit.

    Formula: ``y = (x - mean) / max(sqrt(variance), epsilon)`` with ``config.epsilon()``; with
    ``invert`` ``y = x * max(sqrt(variance), epsilon) + mean``

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.Normalization()
        >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
        >>> layer([[3.0, 30.0]]).tolist()
        [[1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        what = f"Normalization {self.name!r}"
        axes = () if axis is None else (axis,) if is_whole(axis) else tuple(axis)
        self.axis = axes
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{what}: both `mean` and `variance` must be set, or neither; got mean={mean!r}, "
                f"variance={variance!r}."
            )
        shape = np.shape(mean) if mean is not None else ()
        if mean is not None and (shape != np.shape(variance) or len(shape) > len(axes)):
            raise ValueError(
                f"{what}: mean and variance must have the same shape, of at most as many axes as "
                f"`axis` names ({len(axes)}); got {shape} and {np.shape(variance)}."
            )
        self.input_mean, self.input_variance, self.invert = mean, variance, bool(invert)
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self._kept: tuple[int, ...] = ()
        self._sizes: tuple[int, ...] = ()

    def build(self, input_shape: Any) -> None:
        """Create mean and variance."""
        if input_shape is None:
            return
        self._kept = tuple(sorted(checked_axes(self, self.axis, len(input_shape))))
        shape = tuple(input_shape[axis] for axis in self._kept)
        if None in shape:
            raise ValueError(
                f"Normalization {self.name!r}: the sizes of the axes {self.axis} must be known, "
                f"got an input of shape {tuple(input_shape)}."
            )
        self._sizes = tuple(n if i in self._kept else 1 for i, n in enumerate(input_shape))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def _given(self, value: Any) -> np.ndarray:
        """Return a given mean or variance with the axes of the input."""
        array = np.asarray(value, np.float32)
        shape = [1] * len(self._sizes)
        for i in range(1, array.ndim + 1):
            shape[self._kept[-i]] = array.shape[-i]
        return np.broadcast_to(array.reshape(shape), self._sizes)

    @property
    def mean(self) -> Any:
        """The mean, an array with as many axes as the input; None before `build`."""
        if not self.built:
            return None
        learnt = self.input_mean is None
        return (
            self.adapt_mean.numpy().reshape(self._sizes) if learnt else self._given(self.input_mean)
        )

    @property
    def variance(self) -> Any:
        """The variance, an array with as many axes as the input; None before `build`."""
        if not self.built:
            return None
        learnt = self.input_mean is None
        return (
            self.adapt_variance.numpy().reshape(self._sizes)
            if learnt
            else self._given(self.input_variance)
        )

    def adapt(self, data: Any) -> None:
        """Learn mean and variance; what was learnt before is forgotten.

        It may come at any time, also when the layer's model is compiled.

        Args:
            data: an array, a data frame, a `utils.PyDataset`, or an iterable of batches: x, or
                (x, y), of which y is not used.

        Raises:
            TypeError: if it is no data.
            ValueError: if it is empty, or its shape is not that of the layer's input.
        """
        count, mean, spread = 0, np.zeros(()), np.zeros(())
        for batch in batches_of(self, data):
            if not self.built:
                kept = checked_axes(self, self.axis, batch.ndim)
                self.build(batch.shape if 0 in kept else (None, *batch.shape[1:]))
            self._check_batch(batch.shape)
            reduced = tuple(i for i in range(batch.ndim) if i not in self._kept)
            values = batch.astype(np.float64)
            own = math.prod(batch.shape[i] for i in reduced)
            own_mean = values.mean(reduced)
            # Chan, Golub and LeVeque (1979): exact means of parts make the exact whole.
            apart, total = own_mean - mean, count + own
            spread = spread + own * (values.var(reduced) + apart * apart * (count / total))
            mean = mean + apart * (own / total)
            count = total
        if self.input_mean is None:
            self.adapt_mean.assign(mean)
            self.adapt_variance.assign(spread / count)

    def _check_batch(self, shape: tuple[int, ...]) -> None:
        fits = len(shape) == len(self._sizes)
        if not fits or any(shape[axis] != self._sizes[axis] for axis in self._kept):
            wanted = tuple(n if i in self._kept else None for i, n in enumerate(self._sizes))
            raise ValueError(
                f"adapt of Normalization {self.name!r}: expected data of shape {wanted}, got "
                f"{shape}."
            )

    def finalize_state(self) -> None:
        """Do nothing: mean and variance hold at once."""

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        if self.input_mean is None:
            mean = ops.reshape(self.adapt_mean, self._sizes)
            variance = ops.reshape(self.adapt_variance, self._sizes)
        else:
            mean, variance = self._given(self.input_mean), self._given(self.input_variance)
        deviation = ops.maximum(ops.sqrt(variance), settings.epsilon())
        if self.invert:
            return ops.add(mean, ops.multiply(x, deviation))
        return ops.divide(ops.subtract(x, mean), deviation)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            **{name: None if v is None else np.asarray(v).tolist() for name, v in given.items()},
        }
