"""A penalty on what passes."""

from __future__ import annotations

from typing import Any

from dnnfast import regularizers
from dnnfast.layers.same_shape import SameShape


class ActivityRegularization(SameShape):
    """Returns its input and adds a penalty on it to the loss.

    Args:
        l1: factor of the absolute values, at least 0. Default 0.
        l2: factor of the squares, at least 0. Default 0.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if a factor is negative or not a number.

    Formula: the loss grows by ``(l1 * sum|x| + l2 * sum x^2) / batch``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.ActivityRegularization(l1=0.01)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _built_from_start = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        penalty = regularizers.L1L2(l1=l1, l2=l2)
        super().__init__(activity_regularizer=penalty, **kwargs)
        self.l1, self.l2 = penalty.l1, penalty.l2

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
