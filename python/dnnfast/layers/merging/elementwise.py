"""Differences, products, means and extremes of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import ops, symbolic
from dnnfast.layers.merging.merge import Merge, merged_where_valid
from dnnfast.masks import mask_of, set_mask


class Subtract(Merge):
    """Subtracts the second of two tensors from the first, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if there are not two inputs, or their shapes do not fit, when called.

    Formula: ``y = a - b``; sizes of 1 are repeated

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Subtract()([[[3.0, 4.0]], [[1.0, 2.0]]]).tolist()
        [[2.0, 2.0]]
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        return ops.subtract(*tensors)

    def _check_shapes(self, shapes: Any) -> None:
        super()._check_shapes(shapes)
        if len(shapes) != 2:
            raise ValueError(
                f"Layer {self.name!r} (Subtract) expects exactly 2 inputs, got {len(shapes)}."
            )


class Multiply(Merge):
    """Multiplies tensors, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes do not fit, when called.

    Formula: ``y = a * b * ...``; sizes of 1 are repeated. What a mask excludes counts as 1.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Multiply()([[[3.0, 4.0]], [[2.0, 2.0]]]).tolist()
        [[6.0, 8.0]]
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        masks = [mask_of(x) for x in tensors]
        all_masked = all(mask is not None for mask in masks)
        output, output_mask = None, None
        for x, mask in zip(tensors, masks, strict=True):
            if mask is not None:
                mask = ops.broadcast_to(ops.expand_dims(mask, -1), symbolic.extents_of(x))
                x = ops.where(mask, x, 1.0)
                if all_masked:
                    known = output_mask is not None
                    output_mask = ops.logical_or(output_mask, mask) if known else mask
            output = x if output is None else ops.multiply(output, x)
        if all_masked:
            output = ops.where(output_mask, output, 0.0)
            set_mask(output, ops.any(output_mask, axis=-1))
        return output


class Average(Merge):
    """Returns the mean of tensors, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes do not fit, when called.

    Formula: ``y = (a + b + ...) / n``; sizes of 1 are repeated

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Average()([[[3.0, 4.0]], [[1.0, 2.0]]]).tolist()
        [[2.0, 3.0]]
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        total = tensors[0]
        for tensor in tensors[1:]:
            total = ops.add(total, tensor)
        return ops.divide(total, len(tensors))


class Maximum(Merge):
    """Returns the largest of tensors, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes do not fit, when called.

    Formula: ``y = max(a, b, ...)``; sizes of 1 are repeated. What a mask excludes is left out.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Maximum()([[[3.0, 1.0]], [[1.0, 2.0]]]).tolist()
        [[3.0, 2.0]]
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        return merged_where_valid(ops.maximum, tensors)


class Minimum(Merge):
    """Returns the smallest of tensors, element by element.

    Args:
        **kwargs: ``name``.

    Raises:
        ValueError: if the shapes do not fit, when called.

    Formula: ``y = min(a, b, ...)``; sizes of 1 are repeated. What a mask excludes is left out.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Minimum()([[[3.0, 1.0]], [[1.0, 2.0]]]).tolist()
        [[1.0, 1.0]]
    """

    def _merge_function(self, tensors: list[Any]) -> Any:
        return merged_where_valid(ops.minimum, tensors)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the difference of two tensors: ``Subtract(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.subtract([x, x]).shape
        (None, 3)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the product of tensors: ``Multiply(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.multiply([x, x]).shape
        (None, 3)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the mean of tensors: ``Average(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.average([x, x]).shape
        (None, 3)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the largest of tensors, element by element: ``Maximum(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.maximum([x, x]).shape
        (None, 3)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the smallest of tensors, element by element: ``Minimum(**kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.minimum([x, x]).shape
        (None, 3)
    """
    return Minimum(**kwargs)(inputs)
