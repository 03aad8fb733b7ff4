"""Choices and loops. In models both sides of a choice are computed, and loops are unrolled."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dnnfast import ops, symbolic, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.values import array, extents, one_axis, rank, unsupported


def _any_symbolic(*structures: Any) -> bool:
    return symbolic.is_symbolic(*tree.flatten(structures))


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    """Choose between two structures of tensors."""

    def choose(a: Any, b: Any) -> Any:
        return None if a is None and b is None else ops.where(condition, a, b)

    return tree.map_structure(choose, yes, no)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Call one of two functions.

    Args:
        pred: a truth value; a symbolic one chooses between the results element by element.
        true_fn: called without arguments where it is true. It returns tensors, or a structure of
            them.
        false_fn: called where it is false; its result has the same structure.

    Where ``pred`` is symbolic both functions are traced and computed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cond(True, lambda: 1, lambda: 2))
        1
    """
    if symbolic.is_symbolic(pred):
        return _choose(pred, true_fn(), false_fn())
    return true_fn() if bool(array(pred)) else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Call one of several functions.

    Args:
        index: which one, from 0; smaller and larger ones are the first and the last.
        branches: the functions; their results have the same structure.
        operands: what they are called with.

    Where ``index`` is symbolic all functions are traced and computed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.switch(1, [lambda x: x + 1, lambda x: x * 10], 2))
        20
    """
    if not symbolic.is_symbolic(index):
        return branches[min(max(int(array(index)), 0), len(branches) - 1)](*operands)
    at = ops.clip(index, 0, len(branches) - 1)
    result = branches[0](*operands)
    for i, branch in enumerate(branches[1:], 1):
        result = _choose(ops.equal(at, i), branch(*operands), result)
    return result


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Call a function for each integer of a range, with the result of the call before.

    Args:
        lower: the first integer.
        upper: where the range ends, itself not included.
        body_fun: called with the integer and the last result.
        init_val: the first "last result".

    Raises:
        NotImplementedError: if the range is symbolic: a model needs to know how often.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.fori_loop(1, 4, lambda i, total: total + i, 0))
        6
    """
    if symbolic.is_symbolic(lower, upper):
        raise unsupported(
            "fori_loop with a symbolic range",
            "Loop as often as may be needed, with ops.where.",
        )
    value = init_val
    for i in range(int(array(lower)), int(array(upper))):
        value = body_fun(i, value)
    return value


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Call a function again and again while a condition holds.

    Args:
        cond: called with the variables; tells whether to go on.
        body: called with the variables; returns the new ones.
        loop_vars: the variables: one tensor, or a tuple or list of them.
        maximum_iterations: at most so often; a symbolic condition needs it, as all these iterations
            are computed. Default no limit.

    Raises:
        NotImplementedError: if the condition is symbolic and there is no limit.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.while_loop(lambda i: i < 10, lambda i: i + 3, 0))
        12
    """
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    going: Any = True
    done = 0
    while maximum_iterations is None or done < maximum_iterations:
        holds = cond(*values)
        if symbolic.is_symbolic(holds) and maximum_iterations is None:
            raise unsupported(
                "while_loop with a symbolic condition", "Give maximum_iterations to unroll it."
            )
        if not symbolic.is_symbolic(holds) and not bool(array(holds)):
            break
        new = body(*values)
        new = tuple(new) if several else (new,)
        if symbolic.is_symbolic(holds):
            going = holds if going is True else ops.logical_and(going, holds)
        values = new if going is True else tuple(_choose(going, new, values))
        done += 1
    return values if several else values[0]


def _leading(what: str, xs: Any) -> int:
    """Return the common size of the first axes."""
    sizes = {extents(x)[0] if rank(x) else None for x in tree.flatten(xs)}
    size = next(iter(sizes)) if len(sizes) == 1 else None
    if size is None:
        raise ValueError(f"{what}: all tensors must have a first axis of one size.")
    if size < 0:
        raise unsupported(
            f"{what} along the batch", "Write the function for the whole batch: ops broadcast."
        )
    return size


def _arrays(xs: Any) -> Any:
    return tree.map_structure(lambda x: x if symbolic.is_symbolic(x) else array(x), xs)


def _part(xs: Any, i: int) -> Any:
    return tree.map_structure(lambda x: ops.get_item(x, i), xs)


def _stacked(results: list[Any]) -> Any:
    if not results or results[0] is None:
        return None
    return tree.map_structure(lambda *parts: ops.stack(parts), *results)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Call a function on each part of the first axis and stack the results.

    Args:
        f: called with a part (or a structure of parts); returns a tensor or a structure of them.
        xs: a tensor, or a structure of tensors of the same first size.

    Raises:
        NotImplementedError: along the batch of a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.map(lambda row: row * 2, [[1, 2], [3, 4]]))
        [[2 4]
         [6 8]]
    """
    xs = array(xs) if isinstance(xs, list) and not _any_symbolic(xs) else _arrays(xs)
    return _stacked([f(_part(xs, i)) for i in range(_leading("map", xs))])


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Call a function on each part of the first axis and stack the results; as `map`.

    Args:
        function: called with a part (or a structure of parts); returns a tensor or a structure.
        elements: a tensor, or a structure of tensors of the same first size.

    Raises:
        NotImplementedError: along the batch of a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.vectorized_map(dnnfast.ops.sum, [[1, 2], [3, 4]]))
        [3 7]
    """
    xs = array(elements) if isinstance(elements, list) and not _any_symbolic(elements) else elements
    xs = _arrays(xs)
    return _stacked([function(_part(xs, i)) for i in range(_leading("vectorized_map", xs))])


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Call a function on each part of the first axis, with what the call before handed on.

    Args:
        f: called with what is handed on and a part; returns what it hands on and an output.
        init: what the first call gets.
        xs: a tensor, or a structure of tensors of the same first size. Default None: no parts.
        length: how many calls; needed without ``xs``.
        reverse: whether to begin at the end. Default False.
        unroll: makes no difference: loops are unrolled. Default 1.

    Raises:
        ValueError: if ``length`` is missing or is not the first size of ``xs``, or ``unroll`` is no
            positive integer or truth value.
        NotImplementedError: along the batch of a symbolic tensor.

    Returns what the last call handed on, and the outputs stacked.

    Example:
        >>> import dnnfast
        >>> total, sums = dnnfast.ops.scan(lambda c, x: (c + x, c + x), 0, [1, 2, 3])
        >>> print(total, sums)
        6 [1 3 6]
    """
    if not isinstance(unroll, (bool, int)) or (unroll is not False and unroll < 1):
        raise ValueError(
            f"`unroll` must be an positive integer or boolean. Received: unroll={unroll}"
        )
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    if xs is not None:
        xs = array(xs) if isinstance(xs, list) and not _any_symbolic(xs) else _arrays(xs)
        size = _leading("scan", xs)
        if length not in (None, size):
            raise ValueError(f"scan: length={length}, but the first size of `xs` is {size}.")
        length = size
    carry = init
    outputs = []
    order = range(int(length or 0))
    for i in reversed(order) if reverse else order:
        carry, output = f(carry, None if xs is None else _part(xs, i))
        outputs.append(output)
    return carry, _stacked(outputs[::-1] if reverse else outputs)


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of an associative function along an axis.

    Args:
        f: a function of two tensors (or structures), applied along the axis element by element;
            ``f(a, f(b, c)) = f(f(a, b), c)``.
        elems: a tensor, or a structure of tensors with the same size of the axis.
        reverse: whether to begin at the end. Default False.
        axis: the axis. Default 0.

    Raises:
        ValueError: if ``f`` is no function, or the sizes differ.
        NotImplementedError: along the batch of a symbolic tensor.

    Formula: ``y[0] = x[0]``, ``y[i] = f(y[i - 1], x[i])``, with about log2(n) calls of f

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.associative_scan(lambda a, b: a + b, dnnfast.ops.arange(5)))
        [ 0  1  3  6 10]
    """
    if not callable(f):
        raise ValueError("`f` should be a callable.")
    xs = _arrays(elems)
    place = one_axis("associative_scan", axis, rank(tree.flatten(xs)[0]))
    sizes = {extents(x)[place] for x in tree.flatten(xs)}
    if len(sizes) > 1:
        raise ValueError(f"associative_scan: the axis has different sizes: {sorted(sizes)}.")
    size = sizes.pop()
    if size < 0:
        raise unsupported("associative_scan along the batch", "Use ops.cumsum.")
    front = (builtins.slice(None),) * place

    def cut(structure: Any, start: int | None, stop: int | None) -> Any:
        key = (*front, builtins.slice(start, stop))
        return tree.map_structure(lambda x: ops.get_item(x, key), structure)

    if reverse:
        xs = tree.map_structure(lambda x: ops.flip(x, place), xs)
    step = 1
    while step < size:
        # Each element is joined with the partial result that ends `step` before it.
        joined = f(cut(xs, None, -step), cut(xs, step, None))
        xs = tree.map_structure(
            lambda a, b: ops.concatenate([a, b], place), cut(xs, None, step), _like(xs, joined)
        )
        step *= 2
    return tree.map_structure(lambda x: ops.flip(x, place), xs) if reverse else xs


def _like(structure: Any, values: Any) -> Any:
    return tree.pack_sequence_as(structure, tree.flatten(values))


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """Return a function that calls another one on each element of its arguments; on arrays only.

    Args:
        pyfunc: a function of numbers.
        excluded: positions or names of arguments that are passed as they are. Default none.
        signature: as `numpy.vectorize`, such as ``"(n)->()"``. Default None: of numbers.

    Raises:
        NotImplementedError: when the result is called on symbolic tensors.

    Example:
        >>> import dnnfast
        >>> larger = dnnfast.ops.vectorize(lambda a, b: a if a > b else b)
        >>> print(larger([1, 5], 3))
        [3 5]
    """
    function = np.vectorize(pyfunc, excluded=excluded, signature=signature)

    def vectorized(*args: Any, **kwargs: Any) -> Any:
        if _any_symbolic(args, kwargs):
            raise unsupported("vectorize", "Write the function with ops: they broadcast.")
        return array(function(*args, **kwargs))

    return vectorized


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function without its own gradient; on arrays only.

    Args:
        f: returns its result and a function that gives the gradients of its arguments.

    Raises:
        NotImplementedError: when the result is called on symbolic tensors.

    Example:
        >>> import dnnfast
        >>> @dnnfast.ops.custom_gradient
        ... def twice(x):
        ...     return 2 * x, lambda dy: 2 * dy
        >>> twice(3)
        6
    """

    def function(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten((args, kwargs))):
            raise unsupported(
                "custom_gradient",
                "Write it as stop_gradient(value) + g - stop_gradient(g) with ops, where g has the "
                "gradient that is wanted.",
            )
        return f(*args, **kwargs)[0]

    return function
