"""Means and sums of values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from dnnfast import ops
from dnnfast.losses.base import (
    aligned,
    array_type,
    check_weight,
    is_labelled,
    is_plain,
    kind_of,
    rank_of,
    scalar,
    to_same_rank,
)
from dnnfast.metrics.metric import Metric, weights_of
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


def _per_sample(values: Any, reduce: Callable[..., Any]) -> Any:
    """Reduce all axes but the first."""
    return reduce(values, axis=list(range(1, rank_of(values)))) if rank_of(values) > 1 else values


def by_sample(values: Any, weight: Any, reduce: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """Return one weighted value a sample, and one weight a sample or None.

    Args:
        values: of any shape, the samples along the first axis; or a single one.
        weight: one a sample or a value; None for 1.
        reduce: `ops.mean` or `ops.sum`: how the values of a sample become one.
        dtype: to compute in.
    """
    weight = weights_of(values, weight, dtype)
    values = ops.cast(ops.convert_to_tensor(values), array_type(dtype))
    if weight is None:
        return _per_sample(values, reduce), None
    values, weight = to_same_rank(values, weight)
    check_weight(values, weight)
    extra = rank_of(values) - rank_of(weight)
    if extra > 0:
        values = reduce(values, axis=list(range(rank_of(weight), rank_of(values))))
    values, weight = aligned(values, weight)
    weight = ops.multiply(weight, ops.ones_like(values))
    return _per_sample(values * weight, reduce), _per_sample(weight, reduce)


class Mean(Metric):
    """The weighted mean of values.

    Args:
        name: default ``"mean"``.
        dtype: as of `Metric`.

    Formula: ``sum(weight * value) / sum(weight)``, 0 of nothing. The values of a sample count as
    their mean.

    Example:
        >>> import dnnfast
        >>> mean = dnnfast.metrics.Mean()
        >>> mean.update_state([1.0, 3.0, 5.0, 7.0], sample_weight=[1, 1, 0, 0])
        >>> float(mean.result())
        2.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: an array, the samples along its first axis; or a number.
            sample_weight: their weights, one a sample or a value; default 1.
        """
        values, weight = by_sample(values, sample_weight, ops.mean, self.dtype)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.size(values) if weight is None else ops.sum(weight))

    def result(self) -> Any:
        """Return the mean so far."""
        return scalar(ops.divide_no_nan(self.total, self.count))


class Sum(Metric):
    """The weighted sum of values.

    Args:
        name: default ``"sum"``.
        dtype: as of `Metric`.

    Formula: ``sum(weight * value)``

    Example:
        >>> import dnnfast
        >>> total = dnnfast.metrics.Sum()
        >>> total.update_state([1.0, 3.0])
        >>> float(total.result())
        4.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: an array, the samples along its first axis; or a number.
            sample_weight: their weights, one a sample or a value; default 1.
        """
        values, _ = by_sample(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        """Return the sum so far."""
        return scalar(ops.convert_to_tensor(self.total))


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: of ``(y_true, y_pred)``, written with `dnnfast.ops`; returns one value a sample, or
            more.
        name: default ``"mean_metric_wrapper"``, numbered.
        dtype: as of `Metric`.
        **kwargs: further arguments of the function.

    Raises:
        TypeError: if ``fn`` is no function.

    Example:
        >>> import dnnfast
        >>> def worst(y_true, y_pred):
        ...     return dnnfast.ops.max(dnnfast.ops.abs(y_true - y_pred), axis=-1)
        >>> metric = dnnfast.metrics.MeanMetricWrapper(worst)
        >>> metric.update_state([[0.0, 0.0]], [[1.0, 3.0]])
        >>> float(metric.result())
        3.0
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: fn must be a function, got {fn!r}.")
        super().__init__(name, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    @property
    def kind(self) -> str:
        """The native engines' name of the function, "" if they have no kernel for it."""
        return kind_of(self.fn)

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean of `values` and nothing else, which engines compute themselves."""
        mine, ours = type(self), MeanMetricWrapper
        return all(getattr(mine, name) is getattr(ours, name) for name in _OF_A_MEAN)

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of exactly this metric, or None: then it is traced."""
        ours = self.is_mean and type(self).values is MeanMetricWrapper.values
        if not ours or self.kind not in _METRIC_KERNELS or self.dtype != "float32":
            return None
        return self.kind if is_plain(self.arguments()) else None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return is_labelled(self.fn)

    def arguments(self) -> dict[str, Any]:
        """Return what the function is called with beside targets and predictions."""
        return self._fn_kwargs

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return the function's values."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        return self.fn(*to_same_rank(y_true, y_pred), **self.arguments())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch.

        Args:
            y_true: targets.
            y_pred: predictions; the mask that travels with them counts.
            sample_weight: one weight a sample or a value; default 1.
        """
        weight = weights_of(y_pred, sample_weight, self.dtype)
        super().update_state(self.values(y_true, y_pred), weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"name": self.name, "dtype": self.dtype, "fn": serialize_keras_object(self.fn)}
        return {**config, **serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the metric from the result of `get_config`."""
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})


# What a subclass changes if it is another metric than the mean of its values.
_OF_A_MEAN = ("update_state", "result", "reset_state")

# The functions among those with a kernel that are a metric's (csrc/ops/metric.h).
_METRIC_KERNELS = (
    "sparse_categorical_accuracy",
    "categorical_accuracy",
    "binary_accuracy",
    "mean_squared_error",
    "mean_absolute_error",
)


class NamedMetric(MeanMetricWrapper):
    """A metric whose constructor takes its function's arguments and keeps them as attributes."""

    # What a configuration always holds; other arguments only where they are not the default.
    _always: tuple[str, ...] = ()

    def __init__(self, fn: Callable[..., Any], name: Any, dtype: Any, **kwargs: Any) -> None:
        super().__init__(fn, name, dtype, **kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)

    def arguments(self) -> dict[str, Any]:
        """Return what the function is called with beside targets and predictions."""
        return {key: getattr(self, key) for key in self._fn_kwargs}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        parameters = inspect.signature(type(self).__init__).parameters
        config: dict[str, Any] = {"name": self.name, "dtype": self.dtype}
        for key, value in self.arguments().items():
            default = getattr(parameters.get(key), "default", None)
            if key in self._always or (key in parameters and value != default):
                config[key] = serialize_keras_object(value)
        return config
