"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.arithmetic import add, multiply, subtract
from dnnfast.ops.contraction import einsum, record_product
from dnnfast.ops.core import cast
from dnnfast.ops.elementwise import sqrt, square
from dnnfast.ops.joining import stack
from dnnfast.ops.reduction import sum
from dnnfast.ops.shaping import expand_dims, moveaxis, reshape
from dnnfast.ops.values import (
    array,
    dtype_of,
    extents,
    floating,
    one_axis,
    rank,
    result_type,
    shown,
)


def product_type(*values: Any) -> str:
    """Return the type of sums of products: those of int8 are int32."""
    names = {dtype_of(value) for value in values}
    return "int32" if names == {"int8"} else result_type(*names)


def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product of the last two axes; the axes before them are broadcast.

    Args:
        x1: an array, a list, a variable or a symbolic tensor; one axis: a row.
        x2: the same; one axis: a column.

    Raises:
        ValueError: if the sizes do not fit, or one is a number.

    Formula: ``y[..., i, j] = sum over k of x1[..., i, k] x2[..., k, j]``

    Rows of the batch times a trainable matrix are the fused op of `layers.Dense`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.matmul([[1, 2]], [[3], [4]]))
        [[11]]
    """
    if not rank(x1) or not rank(x2):
        raise ValueError("matmul: both operands need at least one axis.")
    dtype = product_type(x1, x2)
    if symbolic.is_symbolic(x1, x2):
        return cast(record_product(x1, x2), dtype)
    return np.asarray(np.matmul(array(x1, dtype), array(x2, dtype)))


def dot(x1: Any, x2: Any) -> Any:
    """Dot product: sums over the last axis of the first and the last but one of the second.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor.
        x2: the same. Two vectors give a number, a number multiplies.

    Raises:
        ValueError: if the sizes do not fit.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.dot([1, 2], [3, 4]))
        11
    """
    dtype = product_type(x1, x2)
    if not symbolic.is_symbolic(x1, x2):
        return np.asarray(np.dot(array(x1, dtype), array(x2, dtype)))
    if not rank(x1) or not rank(x2):
        return multiply(x1, x2)
    if rank(x2) <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, ((rank(x1) - 1,), (rank(x2) - 2,)))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum of products over some axes of both.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same.
        axes: how many: the last ones of x1 and the first ones of x2; or which: a pair of axes or
            lists of axes. Default 2.

    Raises:
        ValueError: if the sizes do not fit.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.tensordot([[1, 2]], [[3, 4]], axes=2))
        11
    """
    left, right = rank(x1), rank(x2)
    if isinstance(axes, (int, np.integer)):
        pairs = list(zip(range(left - int(axes), left), range(int(axes)), strict=True))
    else:
        first, second = ([a] if isinstance(a, (int, np.integer)) else list(a) for a in axes)
        if len(first) != len(second):
            raise ValueError(f"tensordot: axes={axes} must name as many axes of both.")
        pairs = [
            (one_axis("tensordot", a, left), one_axis("tensordot", b, right))
            for a, b in zip(first, second, strict=True)
        ]
    if not symbolic.is_symbolic(x1, x2):
        dtype = product_type(x1, x2)
        lists: Any = [list(side) for side in zip(*pairs, strict=True)] or [[], []]
        return np.asarray(np.tensordot(array(x1, dtype), array(x2, dtype), lists))
    letters = "abcdefghijklmnopqrstuvwxyz"
    one, two = list(letters[:left]), list(letters[left : left + right])
    for a, b in pairs:
        two[b] = one[a]
    kept = [c for i, c in enumerate(one) if i not in [a for a, _ in pairs]]
    kept += [c for i, c in enumerate(two) if i not in [b for _, b in pairs]]
    return einsum(f"{''.join(one)},{''.join(two)}->{''.join(kept)}", x1, x2)


def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axes of both.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor.
        x2: the same.

    Raises:
        ValueError: if the last sizes differ.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.inner([1, 2], [3, 4]))
        11
    """
    if not symbolic.is_symbolic(x1, x2):
        dtype = product_type(x1, x2)
        return np.asarray(np.inner(array(x1, dtype), array(x2, dtype)))
    if not rank(x1) or not rank(x2):
        return multiply(x1, x2)
    return tensordot(x1, x2, ((rank(x1) - 1,), (rank(x2) - 1,)))


def outer(x1: Any, x2: Any) -> Any:
    """Products of each element of one with each of the other, as a matrix.

    Args:
        x1: an array, a list, a variable or a symbolic tensor; all elements are the rows.
        x2: the same; all elements are the columns.

    Formula: ``y[i, j] = x1[i] x2[j]``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.outer([1, 2], [3, 4]))
        [[3 4]
         [6 8]]
    """
    if not symbolic.is_symbolic(x1, x2):
        dtype = result_type(x1, x2)
        return np.outer(array(x1, dtype), array(x2, dtype))
    a, b = (reshape(x if symbolic.is_symbolic(x) else array(x), (-1,)) for x in (x1, x2))
    return multiply(expand_dims(a, 1), expand_dims(b, 0))


def vdot(x1: Any, x2: Any) -> Any:
    """Sum of products of all elements in row-major order.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same, of as many elements.

    Raises:
        ValueError: if the numbers of elements differ.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.vdot([[1, 2]], [[3], [4]]))
        11
    """
    a, b = (reshape(x if symbolic.is_symbolic(x) else array(x), (-1,)) for x in (x1, x2))
    return dot(a, b)


def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Cross product of vectors of 2 or 3 elements.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same; the other axes are broadcast.
        axisa: axis of the vectors in x1. Default -1.
        axisb: axis of the vectors in x2. Default -1.
        axisc: axis of the vectors in the result. Default -1.
        axis: all three of them. Default None.

    Raises:
        ValueError: if the vectors have another size.

    Two vectors of 2 elements give the third component only.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cross([1, 0, 0], [0, 1, 0]))
        [0 0 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    operands = [x if symbolic.is_symbolic(x) else array(x) for x in (x1, x2)]
    a, b = (moveaxis(x, at, -1) for x, at in zip(operands, (axisa, axisb), strict=True))
    sizes = (extents(a)[-1], extents(b)[-1])
    if not set(sizes) <= {2, 3}:
        raise ValueError(
            f"`x1`'s dim on `axis={axisa}` and `x2`'s dim on `axis={axisb}` must be 2 or 3. "
            f"Received: {sizes[0]} and {sizes[1]}"
        )
    x, y = a[..., 0], a[..., 1]
    u, v = b[..., 0], b[..., 1]
    third = subtract(multiply(x, v), multiply(y, u))
    if sizes == (2, 2):
        return third
    z = a[..., 2] if sizes[0] == 3 else multiply(x, 0)
    w = b[..., 2] if sizes[1] == 3 else multiply(u, 0)
    first = subtract(multiply(y, w), multiply(z, v))
    second = subtract(multiply(z, u), multiply(x, w))
    return moveaxis(stack([first, second, third], -1), -1, axisc)


def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: x1 with each element replaced by it times x2.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.kron([1, 2], [1, 10]))
        [ 1 10  2 20]
    """
    if not symbolic.is_symbolic(x1, x2):
        dtype = result_type(x1, x2)
        return np.kron(array(x1, dtype), array(x2, dtype))
    a, b = (x if symbolic.is_symbolic(x) else array(x) for x in (x1, x2))
    count = max(rank(a), rank(b))
    a, b = (expand_dims(x, tuple(range(count - rank(x)))) if rank(x) < count else x for x in (a, b))
    wide = multiply(
        expand_dims(a, tuple(range(1, 2 * count, 2))), expand_dims(b, tuple(range(0, 2 * count, 2)))
    )
    sizes = [n * m for n, m in zip(extents(a), extents(b), strict=True)]
    if any(n < 0 and m < 0 for n, m in zip(extents(a), extents(b), strict=True)):
        raise ValueError("kron: the product of two axes of the batch is not supported.")
    return symbolic.regroup(wide, sizes)


def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances of each row of one from each row of the other.

    Args:
        x: rows: an array, a list, a variable or a symbolic tensor of 2 or 3 axes.
        y: the same.

    Raises:
        ValueError: if the last sizes differ.

    Formula: ``y[i, j] = sqrt(sum over k of (x[i, k] - y[j, k])^2)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]]))
        [[5.]]
    """
    a, b = (v if symbolic.is_symbolic(v) else array(v, floating(dtype_of(v))) for v in (x, y))
    if extents(a)[-1] != extents(b)[-1]:
        raise ValueError(
            f"cdist: shapes {shown(extents(a))} and {shown(extents(b))} differ in the last axis."
        )
    difference = subtract(expand_dims(a, -2), expand_dims(b, -3))
    return sqrt(sum(square(difference), -1))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of a vector's elements as the columns of a matrix (Vandermonde).

    Args:
        x: a vector: an array, a list, a variable or a symbolic tensor.
        N: number of columns. Default the number of elements.
        increasing: whether the powers increase to the right. Default False.

    Raises:
        ValueError: if x is no vector, or N is needed.

    Formula: ``y[i, j] = x[i]^(N - 1 - j)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.vander([2, 3], 3))
        [[4 2 1]
         [9 3 1]]
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    if rank(value) != 1:
        raise ValueError(
            f"Input tensor must be 1-dimensional, but received shape {shown(extents(value))}"
        )
    count = extents(value)[0] if N is None else N
    if count < 0:
        raise ValueError("vander: N must be given for a vector that depends on the batch.")
    if not symbolic.is_symbolic(value):
        return np.vander(value, count, increasing).astype(value.dtype)
    powers = [add(multiply(value, 0), 1)]
    while len(powers) < count:
        powers.append(multiply(powers[-1], value))
    return stack(powers[:count] if increasing else powers[:count][::-1], -1)
