"""What layers with several inputs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast import ops, symbolic
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.masks import mask_of, set_mask


def several_inputs(layer: Layer, inputs: Any, least: int) -> list[KerasTensor]:
    """Return the list of inputs of a merging layer, or raise."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) < least:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects a list of at least {least} "
            f"tensors, got {inputs!r}."
        )
    for tensor in inputs:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) expects a list of tensors, got "
                f"{type(tensor).__name__} in it."
            )
    return list(inputs)


def _joined_sizes(layer: Layer, a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the sizes of a sample for two inputs, the shorter one's axes being the last."""
    if len(a) < len(b):
        a, b = b, a
    result = list(a[: len(a) - len(b)])
    for m, n in zip(a[len(a) - len(b) :], b, strict=True):
        if m != n and 1 not in (m, n) and None not in (m, n):
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}): inputs of samples {a} and {b} do "
                "not fit: sizes must be equal or 1."
            )
        result.append(None if None in (m, n) else n if m == 1 else m)
    return tuple(result)


class Merge(Layer):
    """The base class of layers that join tensors element by element; subclass it.

    Sizes of 1 are repeated, and tensors of fewer axes get axes of size 1 after the batch. A
    subclass defines ``_merge_function(self, tensors)``.
    """

    supports_masking = True
    _takes_list = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit."""
        self._check_shapes(input_shape)
        self.compute_output_shape(input_shape)

    def _check_shapes(self, shapes: Any) -> None:
        if not shapes or not all(isinstance(shape, (list, tuple)) for shape in shapes):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects a list of tensors, got one "
                f"of shape {shapes}."
            )
        sizes = {shape[0] for shape in shapes if shape} - {None}
        if len(sizes) > 1:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): the inputs have batches of "
                f"{sorted(sizes)} samples; they must be equal."
            )

    def _merge_function(self, tensors: list[Any]) -> Any:
        """Return the joined tensor; all have the same number of axes."""
        raise NotImplementedError(
            f"Layer {self.name!r} ({type(self).__name__}) does not define "
            "`_merge_function(self, tensors)`."
        )

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        tensors = several_inputs(self, inputs, 1)
        self._check_shapes([tensor.shape for tensor in tensors])
        return self._merge_function(self._aligned(tensors))

    def _aligned(self, tensors: list[Any]) -> list[Any]:
        most = max(tensor.ndim for tensor in tensors)
        return [
            tensor if tensor.ndim == most else self._with_axes(tensor, most) for tensor in tensors
        ]

    @staticmethod
    def _with_axes(tensor: Any, count: int) -> Any:
        sizes = symbolic.extents_of(tensor)
        missing = (1,) * (count - len(sizes))
        return symbolic.regroup(tensor, (*sizes[:1], *missing, *sizes[1:]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for a list of input shapes (batch axis included)."""
        self._check_shapes(input_shape)
        sample = tuple(input_shape[0][1:])
        for shape in input_shape[1:]:
            sample = _joined_sizes(self, sample, tuple(shape[1:]))
        batch = next((shape[0] for shape in input_shape if shape[0] is not None), None)
        return (batch, *sample)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return where one of the inputs counts; None if one has no mask."""
        if previous_mask is None:
            return None
        masks = check_masks(self, inputs, previous_mask)
        if any(mask is None for mask in masks):
            return None
        result = masks[0]
        for mask in masks[1:]:
            result = ops.logical_or(result, mask)
        return result


def check_masks(layer: Layer, inputs: Any, masks: Any) -> list[Any]:
    """Return the masks of a list of inputs, one each, or raise."""
    if not isinstance(masks, (list, tuple)) or not isinstance(inputs, (list, tuple)):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): inputs and mask must be lists, got "
            f"{inputs!r} and {masks!r}."
        )
    if len(masks) != len(inputs):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): the lists of inputs and of masks "
            f"should have the same length, got {len(inputs)} and {len(masks)}."
        )
    return list(masks)


def merged_where_valid(function: Callable[[Any, Any], Any], tensors: list[Any]) -> Any:
    """Apply a function without neutral element to pairs; what a mask excludes is left out."""
    output, output_mask = None, None
    for x in tensors:
        mask = mask_of(x)
        if mask is not None:
            mask = ops.broadcast_to(ops.expand_dims(mask, -1), symbolic.extents_of(x))
        if output is None:
            output, output_mask = x, mask
            continue
        if mask is not None:
            x = ops.where(mask, x, output)
        if output_mask is not None:
            output = ops.where(output_mask, output, x)
        if mask is not None and output_mask is not None:
            output_mask = ops.logical_or(output_mask, mask)
        else:
            output_mask = None
        output = function(output, x)
    if output_mask is not None:
        set_mask(output, ops.any(output_mask, axis=-1))
    return output
