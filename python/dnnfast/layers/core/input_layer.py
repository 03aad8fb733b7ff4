"""Where data enters a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast.dtypes import standardize_dtype
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
        sparse: must not be true; there are no sparse tensors.
        ragged: must not be true.
        batch_shape: shape with the batch axis, instead of ``shape`` and ``batch_size``.
        input_tensor: a symbolic tensor to use instead of a new one.
        optional: whether the input may be None. Default False.
        name: default ``"input_layer"``, numbered.

    Raises:
        ValueError: if no shape is given, or two are, or a size is not known.

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
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        kwargs.pop("trainable", None)
        super().__init__(name=name, **kwargs)
        what = f"Input {self.name!r}"
        if sparse or ragged:
            raise ValueError(f"{what}: sparse and ragged tensors are not supported.")
        if input_tensor is not None:
            shape, batch_size, batch_shape = None, None, self._shape_of(what, input_tensor)
            dtype = dtype or input_tensor.dtype
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(
                    f"{what}: batch_shape comes instead of shape and batch_size; got {shape!r} and "
                    f"{batch_size!r}, too."
                )
            batch_size, shape = batch_shape[0], tuple(batch_shape)[1:]
        if shape is None:
            raise ValueError(f"{what}: a shape is needed, such as shape=(784,).")
        sample = shape_tuple(f"{what}: shape", shape)
        if any(size is None or size < 1 for size in sample):
            raise ValueError(
                f"{what}: every size of the shape must be a known positive integer, got {sample}. "
                "The batch axis is not part of it."
            )
        self.batch_shape = (batch_size, *sample)
        self.sparse, self.ragged, self.optional = False, False, bool(optional)
        self._dtype = standardize_dtype(dtype or "float32")
        self.built = True
        self._make_tensor(input_tensor)

    def _make_tensor(self, tensor: Any = None) -> None:
        if tensor is None:
            tensor = KerasTensor.of_batch(self.batch_shape, self._dtype, self.name)
        CallNode(self, (), {}).attach([tensor])

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._make_tensor()  # a copy's own

    @staticmethod
    def _shape_of(what: str, tensor: Any) -> tuple[int | None, ...]:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"{what}: input_tensor must be a symbolic tensor, got {type(tensor).__name__}."
            )
        return tensor.shape

    @property
    def dtype(self) -> str:
        """The type of the data."""
        return self._dtype

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Return nothing: the tensor exists already, as `output`."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "optional": self.optional,
            "name": self.name,
        }


def Input(
    shape: int | Sequence[int] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    """Return the symbolic tensor from which a model starts.

    Args:
        shape: of one sample, without the batch axis: an int, a tuple or a list.
        batch_size: fixed number of samples, or None.
        dtype: of the data; any numeric type is accepted. Default float32.
        sparse: must not be true; there are no sparse tensors.
        ragged: must not be true.
        batch_shape: shape with the batch axis, instead of ``shape`` and ``batch_size``.
        name: default ``"input_layer"``, numbered.
        tensor: a symbolic tensor to use instead of a new one.
        optional: whether the input may be None. Default False.

    Raises:
        ValueError: if no shape is given, or two are, or a size is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.Input(shape=(28, 28)).shape
        (None, 28, 28)
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name, **kwargs
    )
    return layer._inbound_nodes[0].outputs[0]
