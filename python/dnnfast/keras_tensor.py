"""Symbolic tensors: what a layer sees while a model is described."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dnnfast import naming

if TYPE_CHECKING:
    from dnnfast.tracing import OpRecord


class KerasHistory(NamedTuple):
    """Which call of which layer made a tensor."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A placeholder with a shape, made by `Input` or by calling a layer on another one.

    Args:
        shape: the full shape; the batch axis is usually None.
        dtype: default ``"float32"``.
        name: default numbered.

    Example:
        >>> import dnnfast
        >>> dnnfast.Input((4,)).shape
        (None, 4)
    """

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        name: str | None = None,
        record: OpRecord | None = None,
    ) -> None:
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype = dtype
        self.name = name or naming.auto_name("keras_tensor")
        self.record = record
        self._keras_history: KerasHistory | None = None

    @property
    def ndim(self) -> int:
        """Number of axes, the batch axis included."""
        return len(self.shape)

    @functools.cached_property  # read at every prediction
    def sample_shape(self) -> tuple[int, ...]:
        """The shape without the batch axis."""
        return tuple(int(size) for size in self.shape[1:] if size is not None)

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, "
            f"name={self.name}>"
        )

    def __add__(self, other: Any) -> KerasTensor:
        from dnnfast.layers.merging.add import add

        if not isinstance(other, KerasTensor):
            return NotImplemented
        return add([self, other])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            f"A symbolic tensor ({self!r}) has no values: it only describes a model. Use layers or "
            "dnnfast.activations on it, or call the finished model on arrays."
        )

    def __bool__(self) -> bool:
        raise TypeError("A symbolic tensor has no truth value: it only describes a model.")

    def __iter__(self) -> Any:
        raise TypeError("A symbolic tensor cannot be iterated over: it only describes a model.")

    def __len__(self) -> int:
        raise TypeError("A symbolic tensor has no length: it only describes a model.")
