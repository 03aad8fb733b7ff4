"""Types, shapes and values of tensors; what stops a gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import expressions, symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.logic import is_true
from dnnfast.ops.values import array, checked_dtype, dtype_of, extents, is_float, unsupported
from dnnfast.variable import Variable


def _whole(e: Expression) -> Expression:
    return apply("sign", e) * apply("floor", apply("abs", e))


def cast(x: Any, dtype: Any) -> Any:
    """Return values as another type.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        dtype: such as ``"float32"``, ``"int32"`` or ``"bool"``.

    Raises:
        ValueError: if there is no such type.

    Fractions are cut off by integers; a truth value is whether a number is not 0. Models compute in
    float32: there the type says what values mean (integers are whole up to 2^24), not how wide they
    are. The gradient passes between floats, and stops at integers and truth values.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cast([0.5, 2.7], "int32"))
        [0 2]
    """
    name = checked_dtype(dtype)
    if not symbolic.is_symbolic(x):
        with np.errstate(all="ignore"):
            return _cast_array(x, name)
    before = dtype_of(x)
    if before == name:
        return x
    if name == "bool":
        return symbolic.map_("cast", is_true, (x,), name)
    if is_float(before) and not is_float(name):
        return symbolic.map_("cast", _whole, (x,), name)
    return symbolic.map_("cast", lambda e: e, (x,), name)


def _cast_array(x: Any, name: str) -> np.ndarray:
    if isinstance(x, np.ndarray):
        return x.astype(name)
    return array(x).astype(name) if isinstance(x, Variable) else np.asarray(x).astype(name)


def saturate_cast(x: Any, dtype: Any) -> Any:
    """Return values as another type; what it cannot hold becomes its smallest or largest value.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        dtype: such as ``"uint8"``.

    Raises:
        ValueError: if there is no such type.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.saturate_cast([-5, 300], "uint8"))
        [  0 255]
    """
    from dnnfast.ops.arithmetic import clip

    name = checked_dtype(dtype)
    before = dtype_of(x)
    if name == "bool" or name == before or (is_float(name) and name != "float16"):
        return cast(x, name)
    limits: Any = np.finfo(name) if is_float(name) else np.iinfo(name)
    low, high = limits.min, limits.max
    if not is_float(before) and before != "bool":
        own = np.iinfo(before)
        low, high = max(low, own.min), min(high, own.max)
    return cast(clip(x, low, high), name)


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Return values as what the other functions give: an array, or a tensor that stays symbolic.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        dtype: default that of x; float64 becomes float32, int64 int32 unless asked for.
        sparse: must not be true; there are no sparse tensors.
        ragged: must not be true.

    Raises:
        ValueError: if there is no such type, or a sparse or ragged tensor is asked for.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.convert_to_tensor([1.0, 2.0]).dtype.name
        'float32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported.")
    name = None if dtype is None else checked_dtype(dtype)
    if symbolic.is_symbolic(x):
        return symbolic.tensor(x) if name is None else cast(symbolic.tensor(x), name)
    return array(x) if name is None else _cast_array(x, name)


def array_(x: Any, dtype: Any = None) -> Any:
    """Return a copy of values as an array; of a symbolic tensor, the tensor.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        dtype: default that of x; float64 becomes float32, int64 int32 unless asked for.

    Raises:
        ValueError: if there is no such type.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.array([1, 2]))
        [1 2]
    """
    return copy(convert_to_tensor(x, dtype))


array_.__name__ = array_.__qualname__ = "array"


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return values as a NumPy array.

    Args:
        x: an array, a number, a list or a variable.

    Raises:
        TypeError: of a symbolic tensor, which has no values.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.convert_to_numpy(dnnfast.Variable([1.0])).tolist()
        [1.0]
    """
    return np.array(array(x))


def copy(x: Any) -> Any:
    """Return a copy.

    Args:
        x: an array, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.copy([1, 2]))
        [1 2]
    """
    if symbolic.is_symbolic(x):
        return symbolic.tensor(x)
    return np.array(array(x))


def view(x: Any, dtype: Any = None) -> Any:
    """Return the same bits read as another type; on arrays only.

    Args:
        x: an array, a list or a variable.
        dtype: the other type. Default that of x.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.view(dnnfast.ops.array([1.0]), "int32"))
        [1065353216]
    """
    if symbolic.is_symbolic(x):
        raise unsupported("view", "Use ops.cast for another type.")
    values = array(x)
    return values if dtype is None else values.view(checked_dtype(dtype))


def shape(x: Any) -> tuple[int | None, ...]:
    """Return the sizes of a tensor; None for those that depend on the batch.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.shape(dnnfast.Input((3,))), dnnfast.ops.shape([[1, 2]])
        ((None, 3), (1, 2))
    """
    if isinstance(x, (KerasTensor, Variable)):
        return tuple(x.shape)
    return tuple(array(x).shape)


def ndim(x: Any) -> int:
    """Return the number of axes.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.ndim([[1, 2]])
        2
    """
    return len(shape(x))


def size(x: Any) -> Any:
    """Return the number of elements; of a symbolic tensor with a batch, a symbolic number (int32).

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.size([[1, 2]])
        2
    """
    sizes = extents(x) if symbolic.is_symbolic(x) else array(x).shape
    count = math.prod(abs(n) for n in sizes)
    power = sum(1 for n in sizes if n < 0)
    if not power:
        return count

    def build() -> Expression:
        e = expressions.constant(float(count))
        for _ in range(power):
            e = e * Expression("batch")
        return e

    return symbolic.map_("size", build, [], "int32", ())


def dtype(x: Any) -> str:
    """Return the type of a tensor's elements by name.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.dtype([1, 2])
        'int32'
    """
    if hasattr(x, "dtype"):
        return checked_dtype(x.dtype)
    return dtype_of(x)


def is_tensor(x: Any) -> bool:
    """Tell whether this is an array or a symbolic tensor.

    Args:
        x: anything.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.is_tensor(dnnfast.ops.ones(2)), dnnfast.ops.is_tensor([1, 2])
        (True, False)
    """
    return isinstance(x, (np.ndarray, np.generic, KerasTensor))


def stop_gradient(variable: Any) -> Any:
    """Return the same values, through which no gradient passes.

    Args:
        variable: an array, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.stop_gradient([1.0, 2.0]))
        [1. 2.]
    """
    if not symbolic.is_symbolic(variable):
        return array(variable)
    name = dtype_of(variable)
    return symbolic.map_("stop_gradient", lambda e: Expression("stop", (e,)), (variable,), name)
