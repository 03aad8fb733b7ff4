"""Steps that do not count."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.layers.arguments import float_input
from dnnfast.layers.same_shape import SameShape
from dnnfast.masks import set_mask


class Masking(SameShape):
    """Masks the steps of a sample whose elements all equal a value, and sets them to 0.

    The mask, of shape (batch, steps), rides on the output (``_keras_mask``). Layers that support
    masking pass it on; batch normalization, losses and metrics then leave the steps out.

    Args:
        mask_value: the value, or one for each element of a step. Default 0.
        **kwargs: ``name``, ``input_shape``.

    Formula: a step counts if one of its elements differs from ``mask_value``

    Example:
        >>> import dnnfast
        >>> y = dnnfast.layers.Masking(9.0)([[[9.0, 9.0], [9.0, 1.0]]])
        >>> y.tolist(), y._keras_mask.tolist()
        ([[[0.0, 0.0], [9.0, 1.0]]], [[False, True]])
    """

    _built_from_start = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return which steps of an array or a symbolic tensor count."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        mask = self.compute_mask(x)
        output = ops.where(ops.expand_dims(mask, -1), x, 0.0)
        set_mask(output, mask)
        return output

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mask_value": self.mask_value}
