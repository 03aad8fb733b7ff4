"""Classes and their probabilities: softmax, crossentropies, one-hot vectors, ranks."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic, tracing
from dnnfast.config import settings
from dnnfast.expressions import Expression, apply
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.arithmetic import clip, divide, maximum, multiply, subtract
from dnnfast.ops.core import cast, stop_gradient
from dnnfast.ops.cumulative import cumsum
from dnnfast.ops.elementwise import exp, log, negative
from dnnfast.ops.logic import greater, isfinite, less_equal, logical_and, where
from dnnfast.ops.reduction import count_nonzero, max, sum
from dnnfast.ops.shaping import expand_dims, squeeze
from dnnfast.ops.sorting import sort
from dnnfast.ops.tables import elementwise, to_float
from dnnfast.ops.taking import take_along_axis
from dnnfast.ops.values import (
    all_axes,
    array,
    checked_dtype,
    dtype_of,
    extents,
    floating,
    one_axis,
    rank,
    shown,
)


def _axes(what: str, axis: Any, count: int) -> Any:
    """Return one axis or several, counted from the front."""
    if isinstance(axis, (list, tuple)) or axis is None:
        return all_axes(what, axis, count)
    return one_axis(what, axis, count)


def _fused(x: Any, axis: Any) -> bool:
    """Tell whether there is an op for this axis."""
    return isinstance(x, KerasTensor) and x.batched and x.ndim > 1 and axis == x.ndim - 1


def _values(x: Any) -> Any:
    return x if symbolic.is_symbolic(x) else array(x, floating(dtype_of(x)))


def softmax(x: Any, axis: Any = -1) -> Any:
    """Probabilities from logits.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: along which they sum to 1: an axis, several, or None for all. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``e^x / sum(e^x)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.softmax([0.0, 1.0]).round(3))
        [0.269 0.731]
    """
    x = _values(x)
    axis = _axes("softmax", axis, rank(x))
    if _fused(x, axis):
        return tracing.emit("softmax", [x])
    powers = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(powers, sum(powers, axis, keepdims=True))


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithms of the probabilities of `softmax`.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: along which they sum to 1: an axis, several, or None for all. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``x - ln(sum(e^x))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.log_softmax([0.0, 1.0]).round(3))
        [-1.313 -0.313]
    """
    x = _values(x)
    axis = _axes("log_softmax", axis, rank(x))
    if _fused(x, axis):
        return tracing.emit("log_softmax", [x])
    centered = subtract(x, stop_gradient(max(x, axis, keepdims=True)))
    return subtract(centered, log(sum(exp(centered), axis, keepdims=True)))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Logarithm of a sum of exponentials, without overflow.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``ln(sum(e^x))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.logsumexp([0.0, 0.0]).round(3))
        0.693
    """
    x = _values(x)
    axes = all_axes("logsumexp", axis, rank(x))
    largest = stop_gradient(max(x, axes, keepdims=True))
    largest = where(isfinite(largest), largest, 0.0)
    total = log(sum(exp(subtract(x, largest)), axes, keepdims=True)) + largest
    return total if keepdims else squeeze(total, axes)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """Probabilities of which small ones are 0 (Martins and Astudillo, 2016).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: along which they sum to 1. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``max(x - tau, 0)``, with tau such that the sum is 1

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.sparsemax([0.0, 0.5, 2.0]))
        [0. 0. 1.]
    """
    x = _values(x)
    place = one_axis("sparsemax", axis, rank(x))
    size = extents(x)[place]
    if size < 0:
        raise ValueError("sparsemax: an axis that depends on the batch is not supported.")
    descending = negative(sort(negative(x), place))
    sums = cumsum(descending, place)
    shape = [1] * rank(x)
    shape[place] = size
    counts = np.arange(1, size + 1, dtype=np.float32).reshape(shape)
    inside = greater(1.0 + counts * descending, sums)
    support = sum(cast(inside, "float32"), place, keepdims=True)
    total = sum(where(inside, descending, 0.0), place, keepdims=True)
    return maximum(subtract(x, (total - 1.0) / support), 0.0)


def _checked_pair(what: str, target: Any, output: Any, rows: bool) -> tuple[Any, Any]:
    target, output = _values(target), _values(output)
    if extents(target) != extents(output):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={shown(extents(target))}, output.shape={shown(extents(output))}"
        )
    if rows and not extents(target):
        raise ValueError(f"{what}: `target` and `output` need at least one axis, of classes.")
    return target, output


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis)
    epsilon = settings.epsilon()
    output = divide(output, sum(output, axis, keepdims=True))
    return log(clip(output, epsilon, 1.0 - epsilon))


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Crossentropy of probabilities with those predicted.

    Args:
        target: probabilities (one-hot vectors, say).
        output: predicted ones, or logits.
        from_logits: whether ``output`` holds logits. Default False.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if the shapes differ.

    Formula: ``-sum(target ln(output))``; predictions are divided by their sum and kept
    `config.epsilon` away from 0 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.categorical_crossentropy([[0, 1]], [[0.5, 0.5]]).round(3))
        [0.693]
    """
    target, output = _checked_pair("categorical_crossentropy", target, output, True)
    logs = _log_probabilities(output, from_logits, axis)
    return negative(sum(multiply(target, logs), axis))


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Crossentropy of classes with predicted probabilities.

    Args:
        target: classes from 0, with or without a last axis of size 1.
        output: predicted probabilities, or logits.
        from_logits: whether ``output`` holds logits. Default False.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if the shapes do not fit.

    Formula: ``-ln(output[target])``; as `categorical_crossentropy`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3))
        [0.693]
    """
    output = _values(output)
    target = target if symbolic.is_symbolic(target) else array(target)
    target = cast(target, "int32")
    if not extents(output):
        raise ValueError("sparse_categorical_crossentropy: `output` needs an axis of classes.")
    if rank(target) == rank(output) and extents(target)[-1] == 1:
        target = squeeze(target, -1)
    place = one_axis("sparse_categorical_crossentropy", axis, rank(output))
    expected = tuple(n for i, n in enumerate(extents(output)) if i != place)
    if extents(target) != expected:
        raise ValueError(
            "Argument `target` must have the shape of `output` without the axis of classes. "
            f"Received: target.shape={shown(extents(target))}, "
            f"output.shape={shown(extents(output))}"
        )
    logs = _log_probabilities(output, from_logits, place)
    wanted = one_hot(target, extents(output)[place], place)
    return negative(sum(multiply(wanted, logs), place))


def _crossentropy_of_logits(t: Expression, x: Expression) -> Expression:
    return t * apply("softplus", -x) + (1.0 - t) * apply("softplus", x)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Crossentropy of truth values with predicted probabilities, element by element.

    Args:
        target: 0 or 1, or probabilities.
        output: predicted ones, or logits.
        from_logits: whether ``output`` holds logits. Default False.

    Raises:
        ValueError: if the shapes differ.

    Formula: ``-target ln(output) - (1 - target) ln(1 - output)``; predictions are kept
    `config.epsilon` away from 0 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.binary_crossentropy([1.0, 0.0], [0.5, 0.25]).round(3))
        [0.693 0.288]
    """
    target, output = _checked_pair("binary_crossentropy", target, output, False)
    epsilon = settings.epsilon()

    def build(t: Expression, p: Expression) -> Expression:
        if from_logits:
            return _crossentropy_of_logits(t, p)
        p = apply("min", apply("max", p, epsilon), 1.0 - epsilon)
        return -(t * apply("log", p) + (1.0 - t) * apply("log", 1.0 - p))

    def numbers(t: np.ndarray, p: np.ndarray) -> np.ndarray:
        if from_logits:
            return t * np.logaddexp(0.0, -p) + (1.0 - t) * np.logaddexp(0.0, p)
        p = np.clip(p, np.float32(epsilon), np.float32(1.0 - epsilon))
        return -(t * np.log(p) + (1.0 - t) * np.log(1.0 - p))

    return elementwise("binary_crossentropy", numbers, build, to_float, (target, output))


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Tell whether each class is among the k of the largest predictions.

    Args:
        targets: classes from 0, of shape (rows,).
        predictions: one for each class, of shape (rows, classes).
        k: how many.

    Formula: fewer than k predictions of the row are larger than that of the target. A target that
    is no class, or whose prediction is not finite, is not among them.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.in_top_k([0, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]], 2))
        [ True False]
    """
    predictions = _values(predictions)
    targets = targets if symbolic.is_symbolic(targets) else array(targets)
    targets = cast(targets, "int32")
    classes = extents(predictions)[-1]
    at = expand_dims(clip(targets, 0, classes - 1), -1)
    own = take_along_axis(predictions, at, -1)
    larger = count_nonzero(greater(predictions, own), -1)
    is_class = logical_and(less_equal(0, targets), less_equal(targets, classes - 1))
    valid = logical_and(is_class, isfinite(squeeze(own, -1)))
    return logical_and(less_equal(larger, k - 1), valid)


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return vectors that are 1 at the position of a class, else 0.

    Args:
        x: integers: classes from 0. Others give zeros.
        num_classes: length of the vectors.
        axis: the new axis in the result. Default -1, the last one.
        dtype: default ``"float32"``.
        sparse: must be False.

    Raises:
        ValueError: if there is no such axis, or ``sparse`` is set.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.one_hot([0, 2], 3))
        [[1. 0. 0.]
         [0. 0. 1.]]
    """
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported.")
    name = "float32" if dtype is None else checked_dtype(dtype)
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    place = one_axis("one_hot", axis, rank(value) + 1)
    wide = expand_dims(value, place)
    if not traced:
        shape = [1] * wide.ndim
        shape[place] = num_classes
        return (wide == np.arange(num_classes).reshape(shape)).astype(name)
    sizes = list(extents(wide))
    sizes[place] = num_classes
    here = Expression("coordinate", (), place)
    return symbolic.map_("one_hot", lambda e: apply("equal", e, here), (wide,), name, sizes)


def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Return for each row of classes one vector that is 1 at the position of each.

    Args:
        inputs: integers: classes from 0, rows of them along the last axis.
        num_classes: length of the vectors.
        axis: where the vector stands in the result. Default -1, the last one.
        dtype: default ``"float32"``.
        sparse: must be False.
        kwargs: ``num_tokens``, the old name of num_classes.

    Raises:
        ValueError: if num_classes is missing, or ``sparse`` is set.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.multi_hot([0, 2], 4))
        [1. 0. 1. 0.]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    reduced = 1 if rank(inputs if symbolic.is_symbolic(inputs) else array(inputs)) > 1 else 0
    return max(one_hot(cast(inputs, "int32"), num_classes, axis, dtype, sparse), reduced)
