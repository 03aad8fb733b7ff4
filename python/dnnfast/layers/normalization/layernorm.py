"""Normalization of each sample by its own statistics."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.layers.arguments import checked_axes, float_input
from dnnfast.layers.base import Layer
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.normalization.affine import Affine
from dnnfast.layers.same_shape import SameShape
from dnnfast.random.seed import is_whole


def _kept_axis(what: str, axis: Any) -> Any:
    """Return an axis, or a list of several, or raise."""
    if isinstance(axis, (list, tuple)) and axis and all(is_whole(one) for one in axis):
        return [int(one) for one in axis]
    if is_whole(axis):
        return int(axis)
    raise TypeError(f"{what}: axis must be an integer or a list of integers, got {axis!r}.")


class LayerNormalization(Affine):
    """Normalizes each sample by its own mean and variance (Ba et al., 2016).

    Args:
        axis: the axis, or several, over which the statistics are taken. Default -1.
        epsilon: added to the variance. Default 1e-3.
        center: whether to add beta. Default True.
        scale: whether to multiply by gamma. Default True.
        beta_initializer: default ``"zeros"``.
        gamma_initializer: default ``"ones"``.
        beta_regularizer: a penalty on beta, or None.
        gamma_regularizer: a penalty on gamma, or None.
        beta_constraint: what beta is mapped to after each step, or None.
        gamma_constraint: the same for gamma.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        TypeError: if ``axis`` is no integer or list of integers.
        ValueError: if an argument is out of range.

    Formula: ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`` with the biased variance

    Example:
        >>> import dnnfast
        >>> y = dnnfast.layers.LayerNormalization()([[1.0, 3.0]])
        >>> y.round(3).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        super().__init__(**kwargs)
        self.axis = _kept_axis(f"LayerNormalization {self.name!r}", axis)
        options = {
            "beta_initializer": beta_initializer,
            "gamma_initializer": gamma_initializer,
            "beta_regularizer": beta_regularizer,
            "gamma_regularizer": gamma_regularizer,
            "beta_constraint": beta_constraint,
            "gamma_constraint": gamma_constraint,
        }
        self._keep(epsilon, center, scale, options)

    @property
    def _has_offset(self) -> bool:
        return self.center and not self.rms_scaling

    def _axes_for(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(checked_axes(self, self.axis, ndim)))

    def build(self, input_shape: Any) -> None:
        """Create gamma and beta."""
        axes = self._axes_for(len(input_shape))
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        self._add_affine(tuple(input_shape[axis] for axis in axes))

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        options = {"rms_scaling": True} if self.rms_scaling else {}
        axes = self._axes_for(x.ndim)
        return ops.layer_normalization(x, self.gamma, self.beta, axes, self.epsilon, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            **self._affine_config(),
            "axis": self.axis,
            "rms_scaling": self.rms_scaling,
        }


class RMSNormalization(Layer):
    """Divides each sample by its root mean square (Zhang and Sennrich, 2019).

    Args:
        axis: the axis, or several, over which the mean is taken. Default -1.
        epsilon: added to the mean square. Default 1e-6.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        TypeError: if ``axis`` is no integer or list of integers.
        ValueError: if an argument is out of range.

    Formula: ``y = scale * x / sqrt(mean(x^2) + epsilon)``; the weight ``scale`` starts at 1

    Example:
        >>> import dnnfast
        >>> print(dnnfast.layers.RMSNormalization()([[1.0, 7.0]]).round(4))
        [[0.2 1.4]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        what = f"RMSNormalization {self.name!r}"
        self.axis = _kept_axis(what, axis)
        self.epsilon = checks.number(what, "epsilon", epsilon, above=0.0)
        self.scale: Any = None

    def _axes_for(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(checked_axes(self, self.axis, ndim)))

    def build(self, input_shape: Any) -> None:
        """Create the scale."""
        axes = self._axes_for(len(input_shape))
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[axis] for axis in axes)
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        return ops.rms_normalization(x, self.scale, self._axes_for(x.ndim), self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, that of the input."""
        self._axes_for(len(input_shape))
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(SameShape):
    """Scales each sample to length 1.

    Args:
        axis: the axis, or several, along which the length is taken. Default -1.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        TypeError: if ``axis`` is no integer or list of integers.
        ValueError: if there is no such axis, when called.

    Formula: ``y = x / max(|x|, 1e-12)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.layers.UnitNormalization()([[3.0, 4.0]]).round(4))
        [[0.6 0.8]]
    """

    _built_from_start = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _kept_axis(f"UnitNormalization {self.name!r}", axis)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        axes = checked_axes(self, self.axis, x.ndim)
        return ops.normalize(x, axis=axes, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, that of the input."""
        checked_axes(self, self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


class GroupNormalization(Affine):
    """Normalizes each group of columns of a sample by its own statistics (Wu and He, 2018).

    Args:
        groups: how many groups, which must divide the size of the axis; -1: one for each element.
            Default 32.
        axis: the axis whose elements are grouped. Default -1.
        epsilon: added to the variance. Default 1e-3.
        center: whether to add beta. Default True.
        scale: whether to multiply by gamma. Default True.
        beta_initializer: default ``"zeros"``.
        gamma_initializer: default ``"ones"``.
        beta_regularizer: a penalty on beta, or None.
        gamma_regularizer: a penalty on gamma, or None.
        beta_constraint: what beta is mapped to after each step, or None.
        gamma_constraint: the same for gamma.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range, or the groups do not divide the axis.

    Formula: that of `LayerNormalization`, over the elements of a group and all axes but the batch

    Example:
        >>> import dnnfast
        >>> y = dnnfast.layers.GroupNormalization(groups=2)([[1.0, 3.0, 10.0, 30.0]])
        >>> y.round(2).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not is_whole(groups) or (groups < 1 and groups != -1):
            raise ValueError(
                f"GroupNormalization {self.name!r}: groups must be a positive integer or -1, got "
                f"{groups!r}."
            )
        self.groups, self.axis = groups, axis
        options = {
            "beta_initializer": beta_initializer,
            "gamma_initializer": gamma_initializer,
            "beta_regularizer": beta_regularizer,
            "gamma_regularizer": gamma_regularizer,
            "beta_constraint": beta_constraint,
            "gamma_constraint": gamma_constraint,
        }
        self._keep(epsilon, center, scale, options)

    def _axes_for(self, ndim: int) -> tuple[int, ...]:
        return checked_axes(self, self.axis, ndim)

    def build(self, input_shape: Any) -> None:
        """Create gamma and beta."""
        (axis,) = self._axes_for(len(input_shape))
        size = input_shape[axis]
        if size is None or axis == 0:
            raise ValueError(
                f"GroupNormalization {self.name!r}: axis {self.axis} of the input, of shape "
                f"{tuple(input_shape)}, must have a known size and not be the batch."
            )
        self.groups = size if self.groups == -1 else self.groups
        if size % self.groups:
            raise ValueError(
                f"GroupNormalization {self.name!r}: {self.groups} groups do not divide the "
                f"{size} elements of axis {self.axis}."
            )
        self._add_affine((size,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        (axis,) = self._axes_for(x.ndim)
        sizes = list(x.shape)
        each = int(sizes[axis] or 0) // self.groups  # the size is known, see `build`
        split = [None, *sizes[1:axis], self.groups, each, *sizes[axis + 1 :]]
        sizes[0] = None
        groups = ops.reshape(x, split)
        within = tuple(i for i in range(1, len(split)) if i != axis)
        mean, variance = ops.moments(groups, axes=within, keepdims=True)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        y = ops.reshape(ops.multiply(ops.subtract(groups, mean), factor), sizes)
        along = [sizes[i] if i == axis else 1 for i in range(x.ndim)]
        if self.gamma is not None:
            y = ops.multiply(y, ops.reshape(self.gamma, along))
        return y if self.beta is None else ops.add(y, ops.reshape(self.beta, along))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            **self._affine_config(),
            "groups": self.groups,
            "axis": self.axis,
        }
