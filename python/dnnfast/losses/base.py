"""The base class of losses, and what all of them share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import dtype_policies, naming, ops
from dnnfast.configurable import Configurable
from dnnfast.dtypes import standardize_dtype
from dnnfast.errors import unknown_name
from dnnfast.masks import mask_of, set_mask, with_mask
from dnnfast.ops.values import extents
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", "auto")
_MEANS = ("sum_over_batch_size", "mean")

# Functions that native engines have a kernel for, with their names there (csrc/ops/loss.h and
# metric.h), and those whose targets are class numbers.
_NATIVE: list[tuple[Callable[..., Any], str]] = []
_LABELLED: list[Callable[..., Any]] = []


def has_kernel(kind: str) -> Callable[[Any], Any]:
    """Mark a function of targets and predictions as one that native engines have a kernel for."""

    def mark(fn: Any) -> Any:
        _NATIVE.append((fn, kind))
        return fn

    return mark


def takes_labels(fn: Any) -> Any:
    """Mark a function of targets and predictions as one whose targets are class numbers."""
    _LABELLED.append(fn)
    return fn


def kind_of(fn: Any) -> str:
    """Return the native engines' name of a function, or ""."""
    return next((kind for known, kind in _NATIVE if known is fn), "")


def is_labelled(fn: Any) -> bool:
    """Tell whether a function's targets are class numbers."""
    return any(known is fn for known in _LABELLED)


def is_plain(arguments: dict[str, Any]) -> bool:
    """Tell whether these are options that the native kernels have."""
    return (
        arguments.get("axis", -1) == -1
        and arguments.get("ignore_class") is None
        and arguments.get("threshold", 0.5) == 0.5
    )


def float_type(dtype: Any) -> str:
    """Return the floating-point type that arrays are computed in, for a type or a policy."""
    if dtype is None:
        return "float32"
    name = getattr(dtype, "compute_dtype", None)
    if name is None and isinstance(dtype, (str, dict)) and _names_policy(dtype):
        name = dtype_policies.get(dtype).compute_dtype
    return standardize_dtype(dtype if name is None else name)


def _names_policy(dtype: Any) -> bool:
    return isinstance(dtype, dict) or dtype.startswith("mixed_") or dtype == "tf32"


def array_type(dtype: str) -> str:
    """Return the type of arrays for it: NumPy has no bfloat16."""
    return "float32" if dtype == "bfloat16" else dtype


def name_of(fn: Any) -> str:
    """Return the name of a function, or of an object that is called like one."""
    name = getattr(fn, "__name__", None) or getattr(fn, "name", None)
    return name if isinstance(name, str) else naming.to_snake_case(type(fn).__name__)


def rank_of(x: Any) -> int:
    """Return the number of axes of an array or a symbolic tensor."""
    return len(x.shape)


def to_same_rank(a: Any, b: Any) -> tuple[Any, Any]:
    """Return both with the same number of axes where they differ by a last one of size 1."""
    if rank_of(a) == rank_of(b) + 1 and a.shape[-1] == 1:
        return (a, ops.expand_dims(b, -1)) if rank_of(b) == 1 else (ops.squeeze(a, -1), b)
    if rank_of(b) == rank_of(a) + 1 and b.shape[-1] == 1:
        return (ops.expand_dims(a, -1), b) if rank_of(a) == 1 else (a, ops.squeeze(b, -1))
    return a, b


def aligned(a: Any, b: Any) -> tuple[Any, Any]:
    """Return both such that they broadcast by their first axes, those of the samples.

    One of fewer axes gets further ones at its end if its sizes are those of the other's first axes;
    otherwise it broadcasts by its last axes, as arrays do.
    """
    a, b = to_same_rank(a, b)
    if rank_of(a) < rank_of(b):
        return _deepened(a, b), b
    return a, _deepened(b, a)


def _deepened(a: Any, b: Any) -> Any:
    own, other = extents(a), extents(b)
    if not all(n in (1, m) for n, m in zip(own, other, strict=False)):
        return a
    for _ in range(len(other) - len(own) if own else 0):
        a = ops.expand_dims(a, -1)
    return a


def product_of(a: Any, b: Any) -> Any:
    """Return the product of values and weights of their samples or elements; None is 1."""
    if a is None or b is None:
        return b if a is None else a
    return ops.multiply(*aligned(a, b))


def join_masks(a: Any, b: Any) -> Any:
    """Return the mask of what counts in both; None counts all."""
    if a is None or b is None:
        return b if a is None else a
    return ops.logical_and(a, b)


def masked(values: Any, mask: Any) -> Any:
    """Return computed values, of which those count where a mask is true."""
    if isinstance(values, np.ndarray):
        return with_mask(values, ops.convert_to_tensor(mask, "bool"))
    set_mask(values, mask)
    return values


def check_weight(values: Any, weight: Any) -> None:
    """Raise ValueError if there are more axes of weights than of values."""
    if 0 < rank_of(values) < rank_of(weight):
        raise ValueError(
            f"sample_weight has shape {tuple(weight.shape)}, but the values that it weighs have "
            f"shape {tuple(values.shape)}: give one weight a sample, or one a value."
        )


def scalar(x: Any) -> Any:
    """Return an array without axes as a NumPy number, and all else as it is."""
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def reduced(values: Any, sample_weight: Any, mask: Any, reduction: str | None) -> Any:
    """Return the reduction of a loss's values.

    Args:
        values: one a sample, or more; a mask that travels with them counts, too.
        sample_weight: factors, one a sample or a value; None for 1.
        mask: values that do not count are false; means run over those that do.
        reduction: one of `REDUCTIONS`.

    Formula: with weights w and mask m, both 1 by default: ``sum(w m values) / size(values)``,
    divided by ``mean(m)``, for means; ``sum(w m values) / sum(w m)`` with sample weights; 0 where
    nothing counts.
    """
    mask = join_masks(mask, mask_of(values))
    values = ops.convert_to_tensor(values)
    dtype = values.dtype
    weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight, dtype)
    if mask is not None:
        mask = ops.cast(mask, dtype)
    if weight is not None:
        check_weight(*to_same_rank(values, weight))
    values = product_of(values, product_of(weight, mask))
    if reduction in (None, "none"):
        return scalar(values)
    if reduction == "sum":
        return scalar(ops.sum(values))
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return scalar(ops.divide_no_nan(ops.sum(values), ops.sum(product_of(weight, mask))))
    if isinstance(values, np.ndarray) and values.size == 0:
        return scalar(ops.sum(values))
    mean = ops.mean(values)
    return scalar(mean if mask is None else ops.divide_no_nan(mean, ops.mean(mask)))


class Loss(Configurable):
    """The base class of losses; a subclass defines ``call(y_true, y_pred)`` with `dnnfast.ops`.

    Args:
        name: default the snake-case name of the class, numbered.
        reduction: ``"sum_over_batch_size"`` or ``"mean"`` (the mean over all values, the default),
            ``"sum"``, ``"mean_with_sample_weight"`` (weighted values over the sum of the weights),
            or ``"none"`` or None (the values).
        dtype: what arrays are computed in, a type or a policy; default float32. Models compute
            losses in float32.

    Raises:
        ValueError: if the reduction or the type is not known.

    Example:
        >>> import dnnfast
        >>> class Cubic(dnnfast.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return dnnfast.ops.mean(dnnfast.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(Cubic()([[0.0], [0.0]], [[1.0], [2.0]]))
        4.5
    """

    # What native engines call it if it is one of their own (csrc/ops/loss.h).
    kind = ""
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        reduction = "none" if reduction is None else reduction
        if reduction not in REDUCTIONS:
            raise unknown_name("loss reduction", reduction, REDUCTIONS)
        self.name = name or naming.auto_name(naming.to_snake_case(type(self).__name__))
        self.reduction = "sum_over_batch_size" if reduction == "auto" else reduction
        self._dtype = float_type(dtype)

    @property
    def dtype(self) -> str:
        """What arrays are computed in."""
        return self._dtype

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of exactly this loss, or None: then it is traced."""
        return None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return False

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values: one a sample, or more."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define `call(self, y_true, y_pred)`."
        )

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values for a target that may lack a last axis of size 1, or have one more."""
        if isinstance(y_true, dict) or isinstance(y_pred, dict):
            return self.call(self._converted(y_true), self._converted(y_pred))
        return self.call(*to_same_rank(self._converted(y_true), self._converted(y_pred)))

    def _converted(self, y: Any) -> Any:
        if isinstance(y, dict):
            return {key: self._converted(value) for key, value in y.items()}
        return ops.convert_to_tensor(y, array_type(self.dtype))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions; the mask that travels with them counts.
            sample_weight: factors, one a sample or a value; default 1.
        """
        values = self.values(y_true, y_pred)
        return reduced(values, sample_weight, mask_of(y_pred), self.reduction)


class LossFunctionWrapper(Loss):
    """A function of ``(y_true, y_pred)`` as a loss.

    Args:
        fn: written with `dnnfast.ops`; returns one value a sample, or more.
        reduction: as of `Loss`.
        name: default ``"loss_function_wrapper"``, numbered.
        dtype: as of `Loss`.
        **kwargs: further arguments of the function.

    Raises:
        ValueError: if the reduction or the type is not known.
        TypeError: if ``fn`` is no function.

    Example:
        >>> import dnnfast
        >>> def distance(y_true, y_pred):
        ...     return dnnfast.ops.sum(dnnfast.ops.abs(y_true - y_pred), axis=-1)
        >>> float(dnnfast.losses.LossFunctionWrapper(distance)([[1.0, 2.0]], [[0.0, 0.0]]))
        3.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: fn must be a function, got {fn!r}.")
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        self.from_logits = bool(kwargs.get("from_logits", False))
        self.label_smoothing = kwargs.get("label_smoothing", 0.0)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The native engines' name of the function, "" if they have no kernel for it."""
        return kind_of(self.fn)

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of exactly this loss, or None: then it is traced."""
        mine, ours = type(self), LossFunctionWrapper
        if mine.call is not ours.call or mine.values is not ours.values:
            return None
        if mine.__call__ is not ours.__call__ or "call" in self.__dict__:
            return None
        if self.reduction not in _MEANS or self.dtype != "float32":
            return None
        return self.kind or None if is_plain(self.arguments()) else None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return is_labelled(self.fn)

    def arguments(self) -> dict[str, Any]:
        """Return what the function is called with beside targets and predictions."""
        return self._fn_kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return self.fn(y_true, y_pred, **self.arguments())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"name": self.name, "reduction": self.reduction}
        config["fn"] = serialize_keras_object(self.fn)
        return {**config, **serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the loss from the result of `get_config`."""
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, reduction={self.reduction}>"


class NamedLoss(LossFunctionWrapper):
    """A loss whose constructor takes the arguments of its function and keeps them as attributes."""

    # What a configuration always holds; other arguments only where they are not the default.
    _always: tuple[str, ...] = ()

    def __init__(
        self, fn: Callable[..., Any], reduction: Any, name: Any, dtype: Any, **kwargs: Any
    ) -> None:
        super().__init__(fn, reduction, name, dtype, **kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)

    def arguments(self) -> dict[str, Any]:
        """Return what the function is called with beside targets and predictions."""
        return {key: getattr(self, key) for key in self._fn_kwargs}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        parameters = inspect.signature(type(self).__init__).parameters
        config = {"name": self.name, "reduction": self.reduction}
        given = {**self.arguments(), "dtype": self.dtype}
        for key, value in given.items():
            default = "float32" if key == "dtype" else getattr(parameters.get(key), "default", None)
            if key in self._always or (key in parameters and value != default):
                config[key] = serialize_keras_object(value)
        return config
