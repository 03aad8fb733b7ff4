"""Probabilities, as a layer."""

from __future__ import annotations

from typing import Any

from dnnfast import activations, ops, symbolic
from dnnfast.layers.arguments import float_input
from dnnfast.layers.same_shape import SameShape
from dnnfast.ops.values import dtype_of

# Instead of minus infinity, so that a sample of which nothing counts gives no NaN.
_MASKED = -1e9


class Softmax(SameShape):
    """Probabilities along an axis.

    Args:
        axis: along which they sum to 1: one axis, or several. Default -1.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if there is no such axis, or the mask does not fit, when called.

    Formula: ``exp(x) / sum(exp(x))``. ``layer(x, mask=mask)``: what the mask (of a shape that can
    be broadcast to that of x) excludes counts as minus infinity and gives 0.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Softmax()([[0.0, 0.0]]).tolist()
        [[0.5, 0.5]]
    """

    _built_from_start = True
    _shared_arguments = ("mask",)

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if isinstance(axis, tuple) and len(axis) == 1:
            (axis,) = axis
        if mask is None:
            return activations.softmax(x, axis)
        self._check_mask(x, mask)
        if dtype_of(mask) != "bool":
            mask = ops.greater(mask, 0.5)
        y = activations.softmax(ops.where(mask, x, _MASKED), axis)
        return ops.where(mask, y, 0.0)

    def _check_mask(self, x: Any, mask: Any) -> None:
        sizes, own = symbolic.extents_of(x), symbolic.extents_of(mask)
        pairs = zip(reversed(own), reversed(sizes), strict=False)
        if len(own) > len(sizes) or any(m not in (1, n) for m, n in pairs):
            raise ValueError(
                f"Softmax {self.name!r}: a mask of shape {tuple(mask.shape)} cannot be broadcast "
                f"to the input's shape {x.shape}."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
