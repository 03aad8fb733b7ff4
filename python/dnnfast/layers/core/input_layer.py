"""Where data enters a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.arguments import shape_tuple
from dnnfast.layers.base import Layer
from dnnfast.layers.call_node import CallNode


class InputLayer(Layer):
    """The layer behind `Input`.

    Args:
        shape: of one sample, without the batch axis.
        batch_size: fixed number of samples, or None.
        dtype: of the data; any numeric type is accepted. Default float32.
        batch_shape: shape with the batch axis, instead of ``shape``.
        name: default ``"input_layer"``, numbered.

    Raises:
        ValueError: if no shape is given or a size is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.InputLayer(shape=(4,)).output.shape
        (None, 4)
    """

    def __init__(
        self,
        shape: int | Sequence[int] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        for key in ("sparse", "ragged", "optional", "trainable"):
            kwargs.pop(key, None)
        super().__init__(name=name, **kwargs)
        if batch_shape is not None:
            batch_size, shape = batch_shape[0], tuple(batch_shape)[1:]
        if shape is None:
            raise ValueError(f"Input {self.name!r}: a shape is needed, such as shape=(784,).")
        sample = shape_tuple(f"Input {self.name!r}: shape", shape)
        if any(size is None or size < 1 for size in sample):
            raise ValueError(
                f"Input {self.name!r}: every size of the shape must be a known positive integer, "
                f"got {sample}. The batch axis is not part of it."
            )
        self.batch_shape = (batch_size, *sample)
        self.data_dtype = dtype or "float32"
        self.built = True
        self._make_tensor()

    def _make_tensor(self) -> None:
        tensor = KerasTensor.of_batch(self.batch_shape, self.data_dtype, self.name)
        CallNode(self, (), {}).attach([tensor])

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._make_tensor()  # a copy's own

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Return nothing: the tensor exists already."""
        raise TypeError(f"Input layer {self.name!r} cannot be called; use its `output`.")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self.data_dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def Input(
    shape: int | Sequence[int] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    **kwargs: Any,
) -> KerasTensor:
    """Return the symbolic tensor from which a model starts.

    Args:
        shape: of one sample, without the batch axis: an int, a tuple or a list.
        batch_size: fixed number of samples, or None.
        dtype: of the data; any numeric type is accepted. Default float32.
        batch_shape: shape with the batch axis, instead of ``shape``.
        name: default ``"input_layer"``, numbered.

    Raises:
        ValueError: if no shape is given or a size is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.Input(shape=(28, 28)).shape
        (None, 28, 28)
    """
    layer = InputLayer(shape, batch_size, dtype, batch_shape, name, **kwargs)
    return layer._inbound_nodes[0].outputs[0]
