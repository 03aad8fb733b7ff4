"""Einstein's notation: sums of products, and axes named by letters or words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import symbolic, tracing
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.arithmetic import multiply
from dnnfast.ops.core import cast
from dnnfast.ops.reduction import sum
from dnnfast.ops.shaping import diagonal, expand_dims, reshape, squeeze, transpose
from dnnfast.ops.values import array, dtype_of, extents, rank, result_type
from dnnfast.variable import Variable


def _is_dense(x1: Any, x2: Any) -> bool:
    """Tell whether there is a fused op: rows of the batch by a trainable matrix."""
    return (
        isinstance(x1, KerasTensor)
        and x1.batched
        and x1.ndim > 1
        and isinstance(x2, Variable)
        and x2.trainable
        and x2.ndim == 2
        and tracing.current_value(x2) is x2
        and extents(x1)[-1] == x2.shape[0]
    )


def record_product(x1: Any, x2: Any) -> Any:
    """Record a matrix product; one axis is a row of the first, a column of the second."""
    if _is_dense(x1, x2):
        return tracing.emit("dense", [x1, x2])
    a, b = symbolic.tensor(x1), symbolic.tensor(x2)
    left = expand_dims(a, 0) if rank(a) == 1 else a
    right = expand_dims(b, 1) if rank(b) == 1 else b
    result = symbolic.product(left, right)
    gone = [-2] * (rank(a) == 1) + [-1] * (rank(b) == 1)
    return squeeze(result, gone) if gone else result


def _parsed(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Return one letter for each axis of each operand and of the result, "..." resolved."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(ranks)}.")
    unused = [c for c in map(chr, range(0x391, 0x3E0)) if c not in text]
    widths = [
        count - len(term.replace("...", "")) for term, count in zip(terms, ranks, strict=True)
    ]
    most = max([w for w, term in zip(widths, terms, strict=True) if "..." in term], default=0)
    rest = "".join(unused[:most])
    for i, (term, width) in enumerate(zip(terms, widths, strict=True)):
        if width < 0 or (width > 0 and "..." not in term):
            raise ValueError(f"einsum: {term!r} of {subscripts!r} for a tensor of {ranks[i]} axes.")
        terms[i] = term.replace("...", rest[len(rest) - width :])
    if arrow:
        result = right.replace("...", rest)
    else:
        letters = "".join(terms)
        result = rest + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1 and c not in rest)
        )
    unknown = [c for c in result if c not in "".join(terms)]
    if unknown or len(set(result)) < len(result):
        raise ValueError(
            f"einsum: the result of {subscripts!r} must name axes of the operands, each once."
        )
    return terms, result


def _without_repeats(x: Any, letters: str) -> tuple[Any, str]:
    """Take the diagonal of axes of the same letter."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            x = diagonal(x, 0, i, j)
            letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + letter
    return x, letters


def _sum_over(x: Any, letters: str, kept: str) -> tuple[Any, str]:
    gone = [i for i, c in enumerate(letters) if c not in kept]
    if not gone:
        return x, letters
    return sum(x, gone), "".join(c for c in letters if c in kept)


def _merged(sizes: list[int]) -> int:
    if len([n for n in sizes if n < 0]) > 1:
        raise ValueError("einsum: a product of two axes of the batch is not supported.")
    return math.prod(sizes)


def _contracted(x: Any, xs: str, y: Any, ys: str, kept: str) -> tuple[Any, str]:
    """Sum the products of two operands over the letters that are not kept."""
    x, xs = _sum_over(x, xs, ys + kept)
    y, ys = _sum_over(y, ys, xs + kept)
    both = [c for c in xs if c in ys and c in kept]
    inner = [c for c in xs if c in ys and c not in kept]
    rows = [c for c in xs if c not in ys]
    cols = [c for c in ys if c not in xs]
    size: dict[str, int] = {}
    for value, letters in ((x, xs), (y, ys)):
        for c, n in zip(letters, extents(value), strict=True):
            if size.get(c, 1) not in (1, n) and n != 1:
                raise ValueError(f"einsum: the axis {c!r} has sizes {size[c]} and {n}.")
            size[c] = n if size.get(c, 1) == 1 else size[c]
    if not inner:
        return _outer(x, xs, y, ys, both + rows + cols)
    if any(extents(v)[s.index(c)] != size[c] for v, s in ((x, xs), (y, ys)) for c in inner):
        product, letters = _outer(x, xs, y, ys, both + rows + cols + inner)
        return _sum_over(product, letters, kept)
    left = transpose(x, [xs.index(c) for c in both + rows + inner])
    right = transpose(y, [ys.index(c) for c in both + inner + cols])
    outer = [extents(left)[i] for i in range(len(both))]
    other = [extents(right)[i] for i in range(len(both))]
    k = _merged([size[c] for c in inner])
    m, n = (_merged([size[c] for c in part]) for part in (rows, cols))
    found = record_product(_regrouped(left, [*outer, m, k]), _regrouped(right, [*other, k, n]))
    shape = [size[c] for c in both + rows + cols]
    return _regrouped(found, shape), "".join(both + rows + cols)


def _regrouped(x: Any, shape: list[int]) -> Any:
    return x if extents(x) == tuple(shape) else symbolic.regroup(x, shape)


def _outer(x: Any, xs: str, y: Any, ys: str, order: list[str]) -> tuple[Any, str]:
    """Multiply element by element, the axes brought into one order."""

    def aligned(value: Any, letters: str) -> Any:
        value = transpose(value, [letters.index(c) for c in order if c in letters])
        new = [i for i, c in enumerate(order) if c not in letters]
        return expand_dims(value, new) if new else value

    return multiply(aligned(x, xs), aligned(y, ys)), "".join(order)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation.

    Args:
        subscripts: a letter for each axis, such as ``"bij,bjk->bik"``: letters that the result does
            not have are summed over. ``...`` stands for further axes, which are broadcast. Without
            ``->`` the result has the letters that occur once, in alphabetical order.
        operands: arrays, lists, variables or symbolic tensors. Several are multiplied from left to
            right.
        kwargs: ``optimize``, for arrays, as `numpy.einsum`.

    Raises:
        ValueError: if the subscripts do not fit the operands.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.einsum("ij,jk->ik", [[1, 2]], [[3], [4]]))
        [[11]]
    """
    names = {dtype_of(x) for x in operands}
    dtype = "int32" if names == {"int8"} else result_type(*names)
    if not symbolic.is_symbolic(*operands):
        values = [array(x, dtype) for x in operands]
        return np.asarray(np.einsum(subscripts, *values, optimize=kwargs.get("optimize", True)))
    values = [x if symbolic.is_symbolic(x) else symbolic.tensor(x) for x in operands]
    terms, result = _parsed(subscripts, [rank(x) for x in values])
    parts = [_without_repeats(x, term) for x, term in zip(values, terms, strict=True)]
    x, xs = parts.pop(0)
    while parts:
        y, ys = parts.pop(0)
        x, xs = _contracted(x, xs, y, ys, result + "".join(letters for _, letters in parts))
    x, xs = _sum_over(x, xs, result)
    order = [xs.index(c) for c in result]
    return cast(x if order == sorted(order) else transpose(x, order), dtype)


def _words(side: str) -> list[list[str]]:
    """Return the groups of names of one side of a pattern."""
    groups: list[list[str]] = []
    inside = False
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word in "()":
            if inside == (word == "("):
                raise ValueError(f"rearrange: brackets of {side!r} do not match.")
            inside = word == "("
            if inside:
                groups.append([])
        elif inside:
            groups[-1].append(word)
        else:
            groups.append([word])
    if inside:
        raise ValueError(f"rearrange: brackets of {side!r} do not match.")
    return groups


def _lengths(groups: list[list[str]], sizes: tuple[int, ...], given: dict[str, int]) -> list[int]:
    """Return the size of each name."""
    lengths: list[int] = []
    for group, size in zip(groups, sizes, strict=True):
        unknown = [name for name in group if name not in given and name != "1"]
        known = math.prod(given.get(name, 1) for name in group)
        if len(unknown) > 1 or size % known or (not unknown and known != abs(size)):
            raise ValueError(
                f"rearrange: an axis of size {size} cannot be cut into ({' '.join(group)}) with "
                f"the lengths {given}."
            )
        rest = abs(size) // known * (-1 if size < 0 else 1)
        lengths += [rest if name in unknown else given.get(name, 1) for name in group]
    return lengths


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Reshape and transpose by a pattern of named axes, as einops writes it.

    Args:
        tensor: an array, a list, a variable or a symbolic tensor.
        pattern: such as ``"b (h w) c -> b c h w"``: brackets put axes together, or cut one.
        axes_lengths: sizes of names that do not follow from the tensor, such as ``h=2``.

    Raises:
        ValueError: if the pattern does not fit the tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.rearrange(dnnfast.ops.zeros((2, 6)), "b (h w) -> b w h", h=2).shape
        (2, 3, 2)
    """
    traced = symbolic.is_symbolic(tensor)
    x = tensor if traced else array(tensor)
    before, arrow, after = pattern.partition("->")
    groups, wanted = _words(before), _words(after)
    names = [name for group in groups for name in group]
    result = [name for group in wanted for name in group]
    if not arrow or sorted(names) != sorted(result) or len(set(names)) < len(names):
        raise ValueError(f"rearrange: both sides of {pattern!r} must have the same names.")
    if len(groups) != rank(x):
        raise ValueError(f"rearrange: {pattern!r} for a tensor of {rank(x)} axes.")
    lengths = _lengths(groups, extents(x), axes_lengths)
    x = _regrouped(x, lengths) if traced else x.reshape(lengths)
    x = transpose(x, [names.index(name) for name in result])
    size = dict(zip(names, lengths, strict=True))
    shape = [_merged([size[name] for name in group]) for group in wanted]
    return _regrouped(x, shape) if traced else reshape(x, shape)
