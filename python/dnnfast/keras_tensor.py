"""Symbolic tensors: what a layer sees while a model is described."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dnnfast import dtypes, naming
from dnnfast.checks import partial_shape

if TYPE_CHECKING:
    from dnnfast.tracing import OpRecord


class KerasHistory(NamedTuple):
    """Which call of which layer made a tensor."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A placeholder with a shape, made by `Input` or by calling a layer on another one.

    Arithmetic, comparisons and indexing work as on arrays and give further placeholders.

    Args:
        shape: the full shape; the batch axis is usually None.
        dtype: default ``"float32"``.
        sparse: only False, as ``ragged``.
        record_history: accepted; what is done with it is recorded.
        name: default numbered.

    Raises:
        ValueError: if the shape or the type is none, or the tensor is to be sparse or ragged.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((4,))
        >>> x.shape, x[:, :3].shape
        ((None, 4), (None, 3))
    """

    # What Keras's symbolic tensors tell of themselves; here it is the same for all.
    sparse = False
    ragged = False
    ragged_rank: int | None = None
    row_splits_dtype: str | None = None

    __array_priority__ = 1000

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        record: OpRecord | None = None,
        extents: Sequence[int] | None = None,
    ) -> None:
        if sparse or ragged:
            raise ValueError("KerasTensor: tensors are neither sparse nor ragged here.")
        self.record_history = bool(record_history)
        if extents is None:
            sizes = partial_shape("KerasTensor", shape)
            extents = [-1 if size is None else size for size in sizes]
        # Sizes, where -n is n times the batch.
        self.extents: tuple[int, ...] = tuple(extents)
        self.batch_size: int | None = None  # where it is fixed
        self.dtype = dtypes.standardize_dtype(dtype)
        self.name = name or naming.auto_name("keras_tensor")
        self.record = record
        self._keras_history: KerasHistory | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The full shape; None where a size depends on the batch, unless that is fixed."""
        batch = self.batch_size
        if batch is None:
            return tuple(None if size < 0 else size for size in self.extents)
        return tuple(-size * batch if size < 0 else size for size in self.extents)

    @classmethod
    def of_batch(
        cls, shape: Sequence[int | None], dtype: str = "float32", name: str | None = None
    ) -> KerasTensor:
        """Return a placeholder whose first axis is the batch, of a fixed size if it has one."""
        sizes = partial_shape("KerasTensor", shape)
        tensor = cls((None, *sizes[1:]) if sizes else (), dtype, name=name)
        tensor.batch_size = sizes[0] if sizes else None
        return tensor

    @property
    def ndim(self) -> int:
        """Number of axes, the batch axis included."""
        return len(self.extents)

    rank = ndim

    @property
    def batched(self) -> bool:
        """Whether the first axis, and no other, is the batch."""
        return self.extents[:1] == (-1,) and all(size >= 0 for size in self.extents[1:])

    @functools.cached_property  # read at every prediction
    def sample_shape(self) -> tuple[int, ...]:
        """The shape without the batch axis."""
        return self.extents[1:]

    def reshape(self, newshape: Sequence[int]) -> Any:
        """Return `ops.reshape` of it."""
        from dnnfast import ops

        return ops.reshape(self, newshape)

    def squeeze(self, axis: int | Sequence[int] | None = None) -> Any:
        """Return `ops.squeeze` of it."""
        from dnnfast import ops

        return ops.squeeze(self, axis)

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, "
            f"name={self.name}>"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ValueError(
            f"A symbolic tensor ({self!r}) has no values: it only describes a model. NumPy "
            "functions need values; write the computation with dnnfast.ops (ops.exp for np.exp, "
            "ops.mean for np.mean, ...), or call the finished model on arrays."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # This is how an array on the left side of an operator asks.
        if ufunc.__name__ == "equal":
            return False  # == is identity
        name = _UFUNCS.get(ufunc.__name__)
        if method != "__call__" or kwargs or name is None:
            raise _not_numpy(ufunc.__name__)
        from dnnfast import ops

        return getattr(ops, name)(*inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise _not_numpy(func.__name__)

    def __int__(self) -> int:
        raise ValueError("A symbolic tensor has no value to make an int of.")

    def __float__(self) -> float:
        raise ValueError("A symbolic tensor has no value to make a float of.")

    def __bool__(self) -> bool:
        raise TypeError(
            "A symbolic tensor has no truth value: it only describes a model. Use ops.where(...) "
            "instead of `if`, and & | ~ instead of `and`, `or`, `not`."
        )

    def __getitem__(self, key: Any) -> Any:
        from dnnfast import ops

        return ops.get_item(self, key)

    def __iter__(self) -> Any:
        if not self.extents or self.extents[0] < 0:
            raise TypeError(
                "A symbolic tensor cannot be iterated over along the batch: it only describes a "
                "model."
            )
        return (self[i] for i in range(self.extents[0]))

    def __len__(self) -> int:
        if not self.extents or self.extents[0] < 0:
            raise TypeError("A symbolic tensor has no length: it only describes a model.")
        return self.extents[0]

    __hash__ = object.__hash__


# NumPy's names of the operators.
_UFUNCS = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "true_divide",
    "true_divide": "true_divide",
    "floor_divide": "floor_divide",
    "remainder": "mod",
    "power": "power",
    "matmul": "matmul",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "not_equal": "not_equal",
}


def _not_numpy(name: str) -> TypeError:
    from dnnfast import ops

    name = {"remainder": "mod"}.get(name, name)
    advice = "write the computation with dnnfast.ops"
    if name in ops.__all__:
        advice = f"use dnnfast.ops.{name} instead"
    return TypeError(
        f"NumPy's {name} was called on a symbolic tensor, which has no values: it only describes a "
        f"model; {advice}, or call the finished model on arrays."
    )


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "ne": "not_equal",  # == stays identity, as tensors are searched for in lists
}
_UNARY = {"neg": "negative", "abs": "absolute", "invert": "logical_not"}


def add_operators(cls: type) -> None:
    """Give a class the operators, as the functions of `dnnfast.ops` do them."""

    def binary(name: str, reverse: bool) -> Any:
        def operator(self: Any, other: Any) -> Any:
            from dnnfast import ops

            function = getattr(ops, name)
            return function(other, self) if reverse else function(self, other)

        return operator

    def unary(name: str) -> Any:
        def operator(self: Any) -> Any:
            from dnnfast import ops

            return getattr(ops, name)(self)

        return operator

    for python, name in _BINARY.items():
        setattr(cls, f"__{python}__", binary(name, False))
        setattr(cls, f"__r{python}__", binary(name, True))
    for python, name in _COMPARISONS.items():
        setattr(cls, f"__{python}__", binary(name, False))
    for python, name in _UNARY.items():
        setattr(cls, f"__{python}__", unary(name))


add_operators(KerasTensor)


def is_keras_tensor(x: Any) -> bool:
    """Tell whether ``x`` is a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.backend.is_keras_tensor(dnnfast.Input((3,)))
        True
    """
    return isinstance(x, KerasTensor)
